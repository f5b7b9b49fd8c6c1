// The npm package in Node: a client over the WebSocket of the package ws, or the global object's.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { before, after, test } from 'node:test';
import { promisify } from 'node:util';
import { installPackage } from './harness/package.js';
import { startSockmux } from './harness/sockmux.js';
import { startTargets } from './harness/targets.js';
import { startWeb } from './harness/web.js';

const run = promisify(execFile);

/** A process that does not end by itself is a failure. */
const TIMEOUT = 150_000;

/** @type {import('./harness/package.js').Project} */
let project;
/** @type {Awaited<ReturnType<typeof startTargets>>} */
let targets;
/** @type {Awaited<ReturnType<typeof startSockmux>>} */
let sockmux;

before(async () => {
	project = await installPackage('node');
	targets = await startTargets();
	const { echo, refused, halfclose } = targets.ports;
	sockmux = await startSockmux([echo, refused, halfclose].flatMap((port) => ['--allow', `127.0.0.1:${port}`]).concat('--allow-listen', '127.0.0.1:1024-65535'));
}, { timeout: 120_000 });

after(async () => {
	await sockmux.stop();
	await targets.stop();
});

/** Runs a module in the project and returns what it prints. @param {string} text */
async function inNode(text) {
	const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', text], { cwd: project.folder, timeout: TIMEOUT });
	assert.equal(stderr, '');
	return stdout.trim();
}

test('bytes both ways, half-close, a refusal, a connection that ends and comes again; the process ends by itself', { timeout: TIMEOUT }, async () => {
	const { echo, refused, halfclose } = targets.ports;
	const { stdout, stderr } = await run(process.execPath, ['client.js', sockmux.origin, ...[echo, refused, halfclose].map(String)], { cwd: project.folder, timeout: TIMEOUT });
	assert.equal(stderr, '');
	const { addresses, ...told } = JSON.parse(stdout);
	assert.deepEqual(told, {
		global: false,
		echo: ['both ways', `127.0.0.1:${echo}`],
		bulk: [true, `127.0.0.1:${echo}`],
		halfclose: ['greeting\n', `127.0.0.1:${halfclose}`],
		refused: [true, 'refused', 14],
		state: 'open',
		again: ['again', `127.0.0.1:${echo}`],
	});
	assert.ok(addresses === 'denied' || Array.isArray(addresses));
});

test('the snippet of js/README.md', { timeout: TIMEOUT }, async () => {
	const text = await readFile(new URL('../js/README.md', import.meta.url), 'utf8');
	const snippet = text.split(/^```/m).find((part) => part.includes("from 'ws'"))?.replace(/^js\n/, '');
	assert.ok(snippet);
	const target = `127.0.0.1:${targets.ports.echo}`;
	assert.equal(await inNode(snippet.replace('https://tunnel.example.org/', sockmux.origin).replace('db.example.org:5432', target)), target);
});

test('listen() and TCPServerSocket: a server in a process that ends by itself', { timeout: TIMEOUT }, async () => {
	assert.deepEqual(JSON.parse(await inNode(`
		import { connect } from 'node:net';
		import { install, SocketError } from 'sockmux';
		import WebSocket from 'ws';
		const sockmux = install({ url: '${sockmux.origin}', WebSocket });
		const ask = (port) => new Response(connect(port, '127.0.0.1').end('hello')).text();
		const server = await sockmux.listen('127.0.0.1', 0);
		const answer = ask(server.bound.port);
		for await (const socket of server.readable) {
			await socket.readable.pipeTo(socket.writable);
			break;
		}
		const direct = new sockmux.TCPServerSocket('127.0.0.1');
		const { readable, localPort } = await direct.opened;
		const second = ask(localPort);
		const { value } = await readable.getReader().read();
		const info = await value.opened;
		await info.readable.pipeTo(info.writable);
		const why = await sockmux.listen('127.0.0.1', 80).catch((error) => [error instanceof SocketError, error.code, error.errno]);
		console.log(JSON.stringify([await answer, await second, value instanceof sockmux.TCPSocket, why]));
		sockmux.uninstall();
	`)), ['hello', 'hello', true, [true, 'denied', 2]]);
});

test('fetch() in a process that ends by itself', { timeout: TIMEOUT }, async () => {
	const web = await startWeb();
	const allowed = await startSockmux(['--allow', `127.0.0.1:${web.ports.h2}`]);
	try {
		assert.deepEqual(JSON.parse(await inNode(`
			import { install } from 'sockmux';
			import WebSocket from 'ws';
			const { fetch } = install({ url: '${allowed.origin}', WebSocket });
			const init = { method: 'POST', body: 'from Node', sockmux: { roots: ${JSON.stringify(web.roots)} } };
			const { version, length } = await (await fetch('https://127.0.0.1:${web.ports.h2}/echo', init)).json();
			const why = await fetch('https://127.0.0.1:${web.ports.h2}/').catch(({ cause }) => [cause.code, cause.text]);
			console.log(JSON.stringify([version, length, why, await (await fetch('data:,own')).text()]));
		`)), ['2.0', 9, ['protocol', 'TLS: the certificate of 127.0.0.1 was signed by an unknown authority: CN=An authority of the tests'], 'own']);
	} finally {
		await allowed.stop();
		await web.stop();
	}
});

test('uninstall() ends everything at once', { timeout: TIMEOUT }, async () => {
	assert.equal(await inNode(`
		import { install } from 'sockmux';
		import WebSocket from 'ws';
		const sockmux = install({ url: '${sockmux.origin}', WebSocket, load: 'eager' });
		const socket = sockmux.connect('127.0.0.1:${targets.ports.echo}');
		await socket.opened;
		sockmux.uninstall();
		console.log(await socket.closed.catch((error) => error.code));
	`), 'aborted');
});

test('a client that has no socket holds no process', { timeout: TIMEOUT }, async () => {
	assert.equal(await inNode(`
		import { install } from 'sockmux';
		import WebSocket from 'ws';
		console.log(install({ url: '${sockmux.origin}', WebSocket, load: 'eager' }).status.state);
	`), 'loading');
});

test('what is missing is said by name', { timeout: TIMEOUT }, async () => {
	const message = await inNode(`
		delete globalThis.WebSocket;
		import { ConfigError, install } from 'sockmux';
		try { install({ url: 'http://127.0.0.1/' }); } catch (error) { console.log(error instanceof ConfigError, error.message); }
	`);
	assert.match(message, /^true this place has no WebSocket: give one, such as import WebSocket from "ws"/);
	const told = JSON.parse(await inNode(`
		import { ConfigError, install } from 'sockmux';
		import WebSocket from 'ws';
		const told = ['tunnel.example.org', '/here'].map((url) => { try { install({ url, WebSocket }); } catch (error) { return error.message; } });
		delete globalThis.WebAssembly;
		try { install({ url: 'http://127.0.0.1/', WebSocket }); } catch (error) { told.push(error.message); }
		console.log(JSON.stringify(told));
	`));
	assert.deepEqual(told, [
		'url: "tunnel.example.org" is not a URL', 'url: "/here" is not a URL', 'this place has no WebAssembly: Node has none with --jitless',
	]);
	assert.deepEqual(JSON.parse(await inNode(`
		import { ConfigError, install } from 'sockmux';
		import WebSocket from 'ws';
		const told = [{ tokn: 'x' }, { worker: true }].map((more) => { try { install({ url: 'http://127.0.0.1/', WebSocket, ...more }); } catch (error) { return [error instanceof ConfigError, error.message]; } });
		const log = { error: (line) => told.push(line), warn() {}, info() {} };
		const socket = install({ url: 'http://127.0.0.1/', WebSocket, wasm: '/none.wasm', log }).connect('h:1');
		told.push(await socket.opened.catch(({ code }) => code));
		console.log(JSON.stringify(told));
	`)), [
		[true, 'tokn is no setting; token is one'],
		[true, 'worker is no setting; url or token or optimistic or timeout or load or wasm or WebSocket or log is one'],
		"sockmux: the wasm could not be started: /none.wasm: ENOENT: no such file or directory, open '/none.wasm'. This process has no sockets. The setting wasm is the path or the URL of sockmux.wasm; "
			+ 'without it the file of the package is read, which a bundle must have beside it.',
		'not_connected',
	]);
	const thrown = await run(process.execPath, ['--input-type=module', '--eval', `
		import { install } from 'sockmux';
		import WebSocket from 'ws';
		install({ url: '${sockmux.origin}', WebSocket }).connect('h', 0);
	`], { cwd: project.folder, timeout: TIMEOUT }).catch((error) => error);
	assert.equal(thrown.code, 1);
	assert.match(thrown.stderr, /^SocketError: h: invalid_request: port 0 is not a whole number in 1 to 65535$/m);
	const silent = await inNode(`
		import { createServer } from 'node:net';
		import { install } from 'sockmux';
		import WebSocket from 'ws';
		const server = createServer().listen(0, '127.0.0.1');
		await new Promise((resolve) => server.once('listening', resolve));
		const { port } = server.address();
		await new Promise((resolve) => server.close(resolve));
		const sockmux = install({ url: 'http://127.0.0.1:' + port, WebSocket, log: { ...console, warn: console.log } });
		const socket = sockmux.connect('127.0.0.1:80', { timeout: 2 });
		console.log(await socket.opened.catch(({ code }) => code));
	`);
	assert.match(silent, /http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED[^]*timed_out|not_connected/);
});

test('the WebSocket of the global object is taken where none is given', { timeout: TIMEOUT }, async () => {
	assert.equal(await inNode(`
		globalThis.WebSocket ??= (await import('ws')).default; // Node has one from version 22
		import { install } from 'sockmux';
		const sockmux = install({ url: '${sockmux.origin}' });
		const socket = sockmux.connect('127.0.0.1:${targets.ports.echo}');
		const writer = socket.writable.getWriter();
		await writer.write('by the global one');
		await writer.close();
		console.log(await new Response(socket.readable).text());
	`), 'by the global one');
});
