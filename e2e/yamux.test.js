// Clients of plain yamux (docs/PROTOCOL.md, section 9) with libraries of others:
// hashicorp/yamux in a page, where the browser's WebSocket is the connection, and
// js-libp2p's in Node.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTCP } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));
const OUT = fileURLToPath(new URL('out', import.meta.url));

/** More than the window of a stream. */
const BODY = `${'0123456789abcdef'.repeat(100)}\n`.repeat(400);

const target = createServer((request, response) => { response.end(request.url === '/' ? BODY : 'another path'); });
// It resets behind the request: a reset that comes before the answer to the dial is a refusal.
const resetting = createTCP((socket) => { socket.once('data', () => socket.resetAndDestroy()); });
for (const server of [target, resetting]) {
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	server.unref();
}

/** @param {import('node:net').Server} server */
const portOf = (server) => String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);

const world = suite({
	flags: () => ['--allow-yamux', '--deny', '127.0.0.1:9', '--allow', `127.0.0.1:${portOf(target)}`, '--allow', `127.0.0.1:${portOf(resetting)}`],
	async ready() {
		mkdirSync(OUT, { recursive: true });
		const goroot = execFileSync('go', ['env', 'GOROOT'], { cwd: EXAMPLES, encoding: 'utf8' }).trim();
		copyFileSync(join(goroot, 'lib/wasm/wasm_exec.js'), join(OUT, 'wasm_exec.js'));
		execFileSync('go', ['build', '-o', join(OUT, 'yamux-go.wasm'), './yamux-go'], { cwd: EXAMPLES, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' } });
	},
});

/**
 * Runs the Go program in a fresh page.
 * @param {string} port  of the target
 */
async function inPage(port) {
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/go.html`);
	const { code, out } = await page.evaluate(async (args) => {
		/** @type {string[]} */
		const said = [];
		console.log = (text) => { said.push(text); }; // what Go programs print comes here, some lines at a time
		return { code: await /** @type {any} */ (globalThis).runGo('/built/yamux-go.wasm', args, {}), out: said.join('\n') };
	}, [world.sockmux.origin, '127.0.0.1', port]);
	await page.context().close();
	return { code, out, carriers: page.carriers };
}

/**
 * Runs the Node program.
 * @param {string} port  of the target
 * @param {string} [origin]  of the server
 */
async function inNode(port, origin = world.sockmux.origin) {
	const child = spawn(process.execPath, [join(EXAMPLES, 'yamux-node/index.js'), origin, '127.0.0.1', port]);
	const ended = new Promise((resolve) => { child.once('close', resolve); });
	const [out, errors] = await Promise.all([child.stdout, child.stderr].map(async (stream) => (await stream.setEncoding('utf8').toArray()).join('')));
	return { code: await ended, out, errors };
}

test('hashicorp/yamux works in a page', { timeout: 120_000 }, async () => {
	const { code, out, carriers } = await inPage(portOf(target));
	assert.equal(code, 0, out.slice(0, 1000));
	assert.match(out, /200 OK/);
	assert.equal(out.split('0123456789abcdef').length - 1, BODY.split('0123456789abcdef').length - 1);
	assert.deepEqual(carriers.map((url) => new URL(url).pathname), ['/v1/yamux']);
	const denied = await inPage('9');
	assert.equal(denied.code, 1);
	assert.match(denied.out, /refused with code 6/);
	const reset = await inPage(portOf(resetting));
	assert.equal(reset.code, 1);
	assert.match(reset.out, /reset/);
});

test('js-libp2p\'s yamux works in Node', { timeout: 120_000 }, async () => {
	const { code, out, errors } = await inNode(portOf(target));
	assert.equal(code, 0, errors);
	assert.match(out, /^HTTP\/1\.1 200 OK\r\n/);
	assert.equal(out.slice(out.indexOf('\r\n\r\n') + 4), BODY);
	const denied = await inNode('9');
	assert.deepEqual([denied.code, denied.errors], [1, 'refused with code 6\n']);
	const silent = createTCP();
	await new Promise((resolve) => { silent.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const origin = `http://127.0.0.1:${portOf(silent)}`;
	await new Promise((resolve) => { silent.close(resolve); });
	const alone = await inNode(portOf(target), origin);
	assert.deepEqual([alone.code, alone.errors], [1, `${origin}: connect ECONNREFUSED ${new URL(origin).host}\n`]);
});

test('js-libp2p\'s yamux sees a drain through, and a cut as an error', { timeout: 120_000 }, async (t) => {
	/** @type {import('node:net').Socket[]} */
	const asked = [];
	const slow = createTCP((socket) => {
		socket.on('error', () => {}).once('data', () => {
			socket.write('half, ');
			asked.push(socket);
		});
	});
	await new Promise((resolve) => { slow.listen(0, '127.0.0.1', () => resolve(undefined)); });
	t.after(() => slow.close());
	/**
	 * Ends the server while the answer is half sent, then sends the rest.
	 * @param {NodeJS.Signals} signal
	 * @param {string} drain
	 */
	const end = async (signal, drain) => {
		const server = await startSockmux(['--allow-yamux', '--allow', `127.0.0.1:${portOf(slow)}`, '--drain-timeout', drain]);
		t.after(() => server.stop());
		const program = inNode(portOf(slow), server.origin);
		await until(() => asked.length > 0, 'the target is asked');
		server.signal(signal);
		if (drain !== '0s') await until(() => server.logs.some((line) => line.includes('draining')), 'the server drains');
		else await program;
		asked.pop()?.end('whole');
		return program;
	};
	const drained = await end('SIGTERM', '60s');
	assert.deepEqual([drained.code, drained.out], [0, 'half, whole'], drained.errors);
	for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGKILL'])) {
		const cut = await end(signal, '0s');
		assert.deepEqual([cut.code, cut.out], [1, ''], signal);
	}
});
