// Programs that listen at the server: a web server in R, fetched by curl.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, talk } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

const run = promisify(execFile);

/** Numbers of Emscripten's libc. */
const EACCES = 2;
const EADDRINUSE = 3;

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;

const world = suite({
	flags: () => ['--allow-listen', '127.0.0.1:1024-65535'],
	async ready({ site, newPage }) {
		page = await newPage();
		await page.addInitScript(() => {
			/** @type {any} */ (globalThis).sockmux = { listen: true };
		});
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
	},
});

/** What R says where a call fails. @param {string} code */
const message = (code) => `tryCatch({ ${code}; "no error" }, error = conditionMessage, warning = conditionMessage)`;

/** A web server of so many answers. @param {number} port @param {number} answers */
const webServer = (port, answers) => `
	server <- serverSocket(${port}L)
	for (i in seq_len(${answers})) {
		con <- socketAccept(server, blocking = TRUE, open = "r+b", timeout = 30)
		request <- readLines(con, 1)
		while (nzchar(readLines(con, 1))) {}
		body <- sprintf("hello from R: %s", request)
		writeLines(c("HTTP/1.1 200 OK", sprintf("Content-Length: %d", nchar(body)), "Connection: close", "", body), con, sep = "\\r\\n")
		close(con)
	}
	close(server)
	"served"`;

test('a web server in R answers curl, one after the other and at once', async () => {
	const port = await freePort();
	const served = r.evalR(webServer(port, 9));
	const curl = (/** @type {string} */ path) => run('curl', ['-sS', '--max-time', '30', '--retry', '20', '--retry-connrefused', '--retry-delay', '1', `http://127.0.0.1:${port}${path}`]);
	assert.equal((await curl('/first')).stdout.trim(), 'hello from R: GET /first HTTP/1.1');
	const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => curl(`/${i}`)));
	assert.deepEqual(answers.map(({ stdout }) => stdout.trim()), Array.from({ length: 8 }, (_, i) => `hello from R: GET /${i} HTTP/1.1`));
	assert.equal(await served, 'served');
	await assert.rejects(run('curl', ['-sS', '--max-time', '5', `http://127.0.0.1:${port}/`]), /Failed to connect|refused/);
});

test('socketConnection(server = TRUE)', async () => {
	const port = await freePort();
	const got = r.evalR(`con <- socketConnection(port = ${port}L, server = TRUE, blocking = TRUE, open = "r+", timeout = 30)
		writeLines(paste("you said", readLines(con, 1)), con)
		close(con)
		"done"`);
	const dial = () => new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1', () => socket.write('hello\n'));
		let text = '';
		socket.setEncoding('utf8').on('data', (data) => {
			text += data;
		}).on('error', () => resolve(null)).on('close', () => resolve(text || null));
	});
	assert.equal(await until(dial, 'R answers'), 'you said hello\n');
	assert.equal(await got, 'done');
});

test('socketConnection(server = TRUE) that nothing connects to', async () => {
	const port = await freePort();
	assert.equal(await r.evalR(message(`socketConnection(port = ${port}L, server = TRUE, blocking = TRUE, timeout = 1)`)), 'problem in listening on this socket');
});

test('a port that is in use and one that is denied: R fails, and the reason is told', async () => {
	const taken = createServer().listen(0, '127.0.0.1');
	await until(() => taken.listening, 'the port is taken');
	const { port } = /** @type {import('node:net').AddressInfo} */ (taken.address());
	for (const [at, reason] of /** @type {[number, RegExp][]} */ ([[port, /^address_in_use: /], [80, /^denied: /]])) {
		assert.match(await r.evalR(message(`serverSocket(${at}L)`)), /creation of server socket failed/);
		assert.match(await r.evalR('webr::eval_js("sockmuxLayer.lastError")'), reason);
		await until(() => page.lines.some((line) => line.includes(`R's listening on 0.0.0.0:${at} failed`)), 'a line on the console');
	}
	taken.close();
});

test('without the page\'s word nothing listens', async () => {
	const other = await world.newPage();
	await other.goto(`${world.site.origin}/webr.html`);
	const silent = await withWebR(other);
	assert.match(await silent.evalR(message(`serverSocket(${await freePort()}L)`)), /creation of server socket failed/);
	assert.match(await silent.evalR('webr::eval_js("sockmuxLayer.lastError")'), /^denied: 0\.0\.0\.0:\d+: the page does not let programs listen: data-listen /);
});

/** Runs a program in a page that lets it listen. @param {string} program @param {number} port */
async function serveC(program, port) {
	const c = await world.newPage();
	await c.addInitScript(() => {
		/** @type {any} */ (globalThis).sockmux = { listen: true };
	});
	await c.goto(`${world.site.origin}/emscripten.html`);
	await c.evaluate(([name, at]) => /** @type {any} */ (globalThis).run(name, [at]), [program, `${port}`]);
	return { c, printed: () => c.evaluate(() => /** @type {any} */ (globalThis).printed) };
}

test('bind() in C fails as the server says', async () => {
	const taken = createServer().listen(0, '127.0.0.1');
	await until(() => taken.listening, 'the port is taken');
	const { port } = /** @type {import('node:net').AddressInfo} */ (taken.address());
	for (const [at, errno] of [[80, EACCES], [port, EADDRINUSE]]) {
		const { c, printed } = await serveC('server-pthread', at);
		await until(async () => (await printed()).some((/** @type {string} */ line) => line === `DONE bind ${errno}`), 'bind() fails');
		await c.context().close();
	}
	taken.close();
});

for (const program of ['server', 'server-pthread', 'built/server-closure-6']) {
	test(`a server in C: ${program}`, async () => {
		const port = await freePort();
		const { c, printed } = await serveC(program, port);
		await until(async () => (await printed()).some((/** @type {string} */ line) => line.startsWith('LISTENING')), 'the program listens');
		const first = await until(() => talk(port, 'one\n'), 'the first client');
		assert.equal(first, 'one\nbye\n');
		const many = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(500));
		assert.deepEqual(await Promise.all(many.map((text) => talk(port, text))), many.map((text) => `${text}bye\n`));
		const last = connect(port, '127.0.0.1', () => void last.write('quit')).on('error', () => {});
		await until(async () => (await printed()).some((/** @type {string} */ line) => line.startsWith('DONE quit')), 'the program ends');
		const lines = await printed();
		assert.equal(lines.filter((/** @type {string} */ line) => line.startsWith('ENDED cleanly')).length, 21, lines.join('\n'));
		assert.equal(c.carriers.length, 1, c.carriers.join(' '));
		await c.context().close();
		last.destroy();
		await until(() => talk(port, 'x').then((answer) => answer === null), 'the port is free');
	});
}
