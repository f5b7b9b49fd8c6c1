// The Go package in a page: its own tests run there, over a WebSocket of the program's own and
// over the page's session.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startDns } from './harness/dns.js';
import { freePort } from './harness/ports.js';
import { reset } from './harness/reset.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = fileURLToPath(new URL('out', import.meta.url));

/** Joins each two connections that come one after the other. */
function crossing() {
	/** @type {import('node:net').Socket | null} */
	let first = null;
	return createServer({ allowHalfOpen: true }, (socket) => {
		socket.pause();
		if (!first) {
			first = socket.on('error', () => socket.destroy());
			return;
		}
		const other = first;
		first = null;
		other.pipe(socket).pipe(other);
		for (const [one, two] of [[socket, other], [other, socket]]) one.on('error', () => reset(two));
	});
}

const joined = crossing();
const packets = createSocket('udp4');
packets.on('message', (message, from) => packets.send(message, from.port, from.address));
const dns = await startDns({ 'named.test': ['192.0.2.1', '192.0.2.2'], '1.2.0.192.in-addr.arpa': ['named.test'], 'packets.test': ['127.0.0.1'] });
after(() => dns.stop());

const world = suite({
	flags: () => [
		...['127.0.0.1', '192.0.2.0/24', 'packets.test'].flatMap((target) => ['--allow', target]), '--dns', dns.address,
		'--allow-listen', '127.0.0.1:1024-65535',
	],
	async ready() {
		mkdirSync(OUT, { recursive: true });
		const goroot = execFileSync('go', ['env', 'GOROOT'], { cwd: ROOT, encoding: 'utf8' }).trim();
		copyFileSync(join(goroot, 'lib/wasm/wasm_exec.js'), join(OUT, 'wasm_exec.js'));
		execFileSync('go', ['test', '-c', '-o', join(OUT, 'sockmux.test.wasm'), '.'], { cwd: ROOT, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' } });
	},
});

await new Promise((resolve) => { joined.listen(0, '127.0.0.1', () => resolve(undefined)); });
joined.unref();
packets.bind(0, '127.0.0.1');
await once(packets, 'listening');
packets.unref();

/** @param {import('node:net').Server} server */
const portOf = (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port;

/** Asks a server in the page, many at once, and ends it. @param {string} origin */
async function ask(origin) {
	await until(() => fetch(`${origin}/echo`).then(({ ok }) => ok, () => false), 'the program listens', 150_000);
	const bodies = Array.from({ length: 40 }, (_, i) => `${i} `.repeat(i * 500));
	const answers = await Promise.all(bodies.map(async (body) => (await fetch(`${origin}/echo`, { method: 'POST', body })).text()));
	assert.deepEqual(answers.map((text) => text.length), bodies.map((text) => text.length));
	assert.deepEqual(answers, bodies);
	assert.match(await (await fetch(`${origin}/end`)).text(), /^127\.0\.0\.1:\d+$/);
}

for (const [name, path, own] of /** @type {const} */ ([['a WebSocket of its own', 'go.html', true], ['the session of the page', 'go-shared.html', false]])) {
	test(`a Go program over ${name} has connections that net.Conn's contract holds for`, { timeout: 180_000 }, async () => {
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/${path}`);
		const listen = `127.0.0.1:${await freePort()}`;
		await Promise.all([page.evaluate(({ env }) => /** @type {any} */ (globalThis).runGo('/built/sockmux.test.wasm', ['-test.v'], env), {
			env: {
				SOCKMUX_URL: own ? world.sockmux.origin : '',
				SOCKMUX_CROSSING: `127.0.0.1:${portOf(joined)}`,
				SOCKMUX_REFUSING: '127.0.0.1:9',
				SOCKMUX_PACKETS: `127.0.0.1:${packets.address().port}`,
				SOCKMUX_PACKETS_NAME: `packets.test:${packets.address().port}`,
				SOCKMUX_SILENT: '127.0.0.1:9',
				SOCKMUX_LISTEN: listen,
			},
		}).then((code) => {
			assert.equal(code, 0, page.lines.filter((line) => /FAIL|_test.go/.test(line)).join('\n'));
		}), ask(`http://${listen}`)]);
		assert.ok(page.lines.some((line) => line.includes('--- PASS: TestConn')), 'the tests have run');
		assert.equal(page.carriers.length, 1, 'one WebSocket');
		await page.context().close();
	});
}
