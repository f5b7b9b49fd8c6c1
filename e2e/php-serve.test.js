// PHP that listens, and PHP with datagrams: php-wasm in a page and in workers, and the same scripts in
// native PHP where it is installed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { bundlePHP } from './harness/php.js';
import { freePort, talk } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { MEGABYTE, md5 } from './harness/targets.js';
import { until } from './harness/until.js';

const run = promisify(execFile);

/** What one script may take on a busy machine; one that hangs fails by it. */
const RUN_TIMEOUT = 60_000;
/** From here on the server lets nothing listen. */
const FIRST_DENIED = 65_000;

/** Answers each datagram late, so that who reads has to wait. */
const LATE_MS = 300;
const answering = createSocket('udp4').on('message', (data, { port, address }) => {
	setTimeout(() => answering.send(`you said ${data}`, port, address), LATE_MS);
});

const world = suite({
	flags: () => ['--allow-listen', `127.0.0.1:1024-${FIRST_DENIED - 1}`, '--allow', '127.0.0.1:1024-65535'],
	async ready({ alsoStop }) {
		await bundlePHP();
		answering.bind(0, '127.0.0.1');
		await once(answering, 'listening');
		alsoStop({ stop: async () => void answering.close() });
	},
});

/** What the server says to a client, once it listens. @param {number} port @param {string} text */
const said = (port, text) => until(() => talk(port, text), `the answer of ${port}`, RUN_TIMEOUT);
/** @param {number} port */
const listen = (port) => `$s = stream_socket_server('tcp://127.0.0.1:${port}', $n, $e) or die("none: $e");`;
/** Waits for a connection without accepting it. @param {string} [timeout] */
const selects = (timeout = '30') => `(function () use ($s) { $r = [$s]; $w = $x = null; return stream_select($r, $w, $x, ${timeout}); })()`;
const udpClient = () => `$s = stream_socket_client('udp://127.0.0.1:${answering.address().port}', $n, $e) or die("none: $e");`;
const SINCE = '$t = microtime(true);';
const LONG = 'microtime(true) - $t >= 0.9';

/**
 * What PHP runs and prints, and what is done to its server meanwhile.
 * @typedef {object} Case
 * @property {string} title
 * @property {(port: number) => string} code
 * @property {(port: number) => Promise<unknown>} [meanwhile]
 * @property {string} prints
 * @property {boolean} [waits]  needs an accept() or a recvfrom() that waits
 */

/** @type {Case[]} */
const CASES = [
	{
		title: 'stream_socket_accept waits for a connection, and names it', waits: true,
		code: (port) => `${listen(port)} $c = stream_socket_accept($s, 30, $peer); $line = fgets($c); fwrite($c, "got $line"); echo $line, json_encode([fgets($c), feof($c), preg_match('/^127\\.0\\.0\\.1:\\d+$/', $peer)]);`,
		meanwhile: async (port) => assert.equal(await said(port, 'hello\n'), 'got hello\n'),
		prints: 'hello\n[false,true,1]',
	},
	{
		title: 'stream_socket_accept ends with its time', waits: true,
		code: (port) => `${listen(port)} ${SINCE} echo json_encode([@stream_socket_accept($s, 1), ${LONG}]);`,
		prints: '[false,true]',
	},
	{
		title: 'stream_socket_accept without time takes what is there',
		code: (port) => `${listen(port)} echo ${selects()}; $c = stream_socket_accept($s, 0); fwrite($c, fgets($c)); echo json_encode(@stream_socket_accept($s, 0));`,
		meanwhile: (port) => said(port, 'hello\n'),
		prints: '1false',
	},
	{
		title: 'what an accepted connection sends is nothing to accept', waits: true,
		code: (port) => `${listen(port)} $c = stream_socket_accept($s, 30); echo fgets($c); fwrite($c, "go on\\n"); ${SINCE} echo json_encode([@stream_socket_accept($s, 1), ${LONG}]), fgets($c);`,
		async meanwhile(port) {
			const socket = await until(() => new Promise((resolve) => {
				const tried = connect(port, '127.0.0.1').on('connect', () => resolve(tried)).on('error', () => resolve(null));
			}), 'a connection', RUN_TIMEOUT);
			socket.write('one\n');
			await once(socket, 'data');
			socket.end('two\n');
		},
		prints: 'one\n[false,true]two\n',
	},
	{
		title: 'stream_select waits for a connection',
		code: (port) => `${listen(port)} echo ${selects()}; $c = stream_socket_accept($s, 0); fwrite($c, fgets($c));`,
		meanwhile: async (port) => assert.equal(await said(port, 'hello\n'), 'hello\n'),
		prints: '1',
	},
	{
		title: 'stream_select of a server ends with its time',
		code: (port) => `${listen(port)} ${SINCE} echo json_encode([${selects('1')}, ${LONG}]);`,
		prints: '[0,true]',
	},
	{
		title: 'a web server',
		code: (port) => `${listen(port)} for ($i = 0; $i < 3; $i++) { ${selects()}; $c = stream_socket_accept($s, 0); $first = fgets($c); while (trim(fgets($c)) !== ''); $body = str_repeat(chr(97 + $i), ${MEGABYTE}); fwrite($c, "HTTP/1.1 200 OK\\r\\nContent-Length: " . strlen($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body"); fclose($c); echo trim($first), "|"; }`,
		async meanwhile(port) {
			for (let i = 0; i < 3; i++) {
				const response = await until(() => fetch(`http://127.0.0.1:${port}/${i}`).catch(() => null), 'an answer', RUN_TIMEOUT);
				assert.equal(md5(Buffer.from(await response.arrayBuffer())), md5(Buffer.alloc(MEGABYTE, 97 + i)));
			}
		},
		prints: 'GET /0 HTTP/1.1|GET /1 HTTP/1.1|GET /2 HTTP/1.1|',
	},
	{
		title: 'fread of a datagram waits for it',
		code: () => `${udpClient()} stream_set_timeout($s, 30); fwrite($s, 'one'); echo fread($s, 100), '|'; fwrite($s, 'two'); echo fread($s, 100);`,
		prints: 'you said one|you said two',
	},
	{
		title: 'fread of a datagram ends with its time',
		code: () => `${udpClient()} stream_set_timeout($s, 1); ${SINCE} echo json_encode([fread($s, 100), ${LONG}, stream_get_meta_data($s)['timed_out']]);`,
		prints: '[false,true,true]',
	},
	{
		title: 'stream_socket_recvfrom of a client waits, and names the peer', waits: true,
		code: () => `${udpClient()} fwrite($s, 'one'); echo stream_socket_recvfrom($s, 100, 0, $peer), ' ', $peer === '127.0.0.1:${answering.address().port}' ? 'right' : $peer;`,
		prints: 'you said one right',
	},
	{
		title: 'a bound UDP socket takes datagrams of everyone, and answers', waits: true,
		code: (port) => `$s = stream_socket_server('udp://127.0.0.1:${port}', $n, $e, STREAM_SERVER_BIND) or die("none: $e"); echo stream_socket_recvfrom($s, 100, 0, $peer); stream_socket_sendto($s, 'well said', 0, $peer);`,
		async meanwhile(port) {
			const socket = createSocket('udp4');
			const answer = once(socket, 'message');
			const again = setInterval(() => socket.send('hello', port, '127.0.0.1'), LATE_MS);
			assert.equal(`${(await answer)[0]}`, 'well said');
			clearInterval(again);
			socket.close();
		},
		prints: 'hello',
	},
];

/** @typedef {{ title: string, path: string, asyncify?: boolean, waits: boolean }} Place */

/** @type {Place[]} */
const PLACES = [
	{ title: 'in the page, JSPI', path: '/php.html', waits: true },
	{ title: 'in the page, ASYNCIFY', path: '/php.html', asyncify: true, waits: false },
	{ title: 'in a module worker', path: '/php-tag.html#module', waits: true },
	{ title: 'in a classic worker, ASYNCIFY', path: '/php-tag.html#classic', asyncify: true, waits: true },
];

/** Runs one case. @param {Case} each @param {(code: string) => Promise<string>} php */
async function check({ code, meanwhile, prints }, php) {
	const port = await freePort();
	const [printed] = await Promise.all([php(code(port)), meanwhile?.(port)]);
	assert.equal(printed, prints);
}

describe('native PHP', () => {
	for (const each of CASES) {
		test(each.title, { timeout: RUN_TIMEOUT }, async (t) => {
			if (await run('php', ['-v']).catch(() => null) === null) return t.skip('php is not installed');
			await check(each, async (code) => (await run('php', ['-r', code])).stdout);
		});
	}
});

for (const { title, path, asyncify = false, waits } of PLACES) {
	describe(`PHP ${title}`, () => {
		/** @type {import('./harness/suite.js').TestPage} */
		let page;
		/** @type {{ evaluate: import('playwright-core').Page['evaluate'] }} */
		let place;
		const php = (/** @type {string} */ code) => place.evaluate((text) => /** @type {any} */ (globalThis).runPHP(text), code);

		test('starts', { timeout: RUN_TIMEOUT * 2 }, async () => {
			page = await world.newPage();
			await page.addInitScript(() => {
				/** @type {any} */ (globalThis).sockmux = { listen: true };
			});
			await page.goto(`${world.site.origin}${path}`);
			place = path.includes('#') ? await until(() => page.workers()[0], 'the worker') : page;
			await until(() => place.evaluate(() => 'startPHP' in globalThis), 'the script of the page', RUN_TIMEOUT);
			await place.evaluate((options) => /** @type {any} */ (globalThis).startPHP(options), { asyncify, ca: '' });
		});

		for (const each of CASES.filter((one) => waits || !one.waits)) {
			test(each.title, { timeout: RUN_TIMEOUT }, () => check(each, php));
		}

		test('a port that the server denies', { timeout: RUN_TIMEOUT }, async () => {
			const printed = await php(`$s = @stream_socket_server('tcp://127.0.0.1:${FIRST_DENIED}', $n, $e); echo $s ? json_encode([${selects()}, @stream_socket_accept($s, 0), error_get_last()['message']]) : "no server: $e";`);
			assert.match(printed, /Permission denied/);
		});

		if (!waits) {
			test('stream_socket_accept with a time does not wait', { timeout: RUN_TIMEOUT }, async () => {
				assert.equal(await php(`${listen(await freePort())} echo json_encode(@stream_socket_accept($s, 30));`), 'false');
			});
		}

		test('nothing was thrown', () => {
			assert.deepEqual(page.lines.filter((line) => line.startsWith('uncaught')), []);
		});

		after(() => page?.context().close());
	});
}
