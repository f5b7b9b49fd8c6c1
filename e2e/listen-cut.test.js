// Programs that listen, and a WebSocket that is lost meanwhile: the port stays bound, connections
// wait, and all are served once the session is there again. A session that has ended ends the
// wait of its programs.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { freePort, talk } from './harness/ports.js';
import { startProxy } from './harness/proxy.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

const CLIENTS = 6;

/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
/** A port at which nothing takes the page's connections. @type {number} */
let nowhere;

const LISTEN = ['--allow-listen', '127.0.0.1:1024-65535'];

const world = suite({
	flags: () => LISTEN,
	async ready({ sockmux, alsoStop }) {
		proxy = await startProxy(sockmux.port);
		alsoStop(proxy);
		nowhere = await freePort();
	},
});

/** A page whose session passes the proxy. @param {string} path */
async function open(path) {
	proxy.port = world.sockmux.port;
	const page = await world.newPage();
	await page.addInitScript((url) => {
		const scope = /** @type {any} */ (globalThis);
		if (scope.top === scope) scope.sockmux = { url, listen: true };
	}, proxy.origin);
	await page.goto(`${world.site.origin}/${path}`);
	return page;
}

/**
 * A program that serves a port: it sends back what a client has sent.
 * @typedef {object} Server
 * @property {import('./harness/suite.js').TestPage} page
 * @property {() => Promise<string | null>} end  how it has ended, null if it serves
 */

/** @type {Record<string, (port: number) => Promise<Server>>} */
const PROGRAMS = {
	'a C server that waits in poll()': async (port) => {
		const page = await open('emscripten.html');
		await page.evaluate(([at]) => /** @type {any} */ (globalThis).run('server-pthread', [at]), [`${port}`]);
		return {
			page,
			end: () => page.evaluate(() => /** @type {any} */ (globalThis).printed.find((/** @type {string} */ line) => line.startsWith('DONE')) ?? null),
		};
	},
	'R in socketAccept()': async (port) => {
		const page = await open('webr.html');
		const r = await withWebR(page);
		/** @type {string | null} */
		let end = null;
		r.evalR(`tryCatch({
			server <- serverSocket(${port}L)
			repeat {
				con <- socketAccept(server, blocking = TRUE, open = "r+b", timeout = 120)
				writeBin(readBin(con, "raw", 4), con)
				writeLines("bye", con)
				close(con)
			}
		}, error = conditionMessage)`).then((/** @type {string} */ text) => {
			end = text;
		});
		return { page, end: async () => end };
	},
	'sockmux.listen()': async (port) => {
		const page = await open('bare.html');
		await page.evaluate((at) => {
			const scope = /** @type {any} */ (globalThis);
			scope.end = null;
			const each = async (/** @type {any} */ socket) => {
				const writer = socket.writable.getWriter();
				for await (const bytes of socket.readable) await writer.write(bytes);
				await writer.write('bye\n');
				await writer.close();
			};
			(async () => {
				const server = await scope.sockmux.listen('127.0.0.1', at);
				for await (const socket of server.readable) each(socket).catch(() => {});
			})().catch((error) => {
				scope.end = error.code ?? String(error);
			});
		}, port);
		return { page, end: () => page.evaluate(() => /** @type {any} */ (globalThis).end) };
	},
};

/** A client whose connection is there. @param {number} port @returns {Promise<import('node:net').Socket>} */
const arrive = (port) => new Promise((resolve, reject) => {
	const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket)).on('error', reject);
});

/** @param {import('node:net').Socket} socket @param {string} text */
const ask = (socket, text) => new Promise((resolve) => {
	let said = '';
	socket.setEncoding('utf8').on('data', (data) => {
		said += data;
	}).on('end', () => resolve(said)).on('error', (error) => resolve(String(error)));
	socket.end(text);
});

/** @type {Record<string, RegExp>} */
const ENDS = {
	'a C server that waits in poll()': /^DONE accept \d+$/,
	'R in socketAccept()': /./,
	'sockmux.listen()': /./,
};

for (const [name, start] of Object.entries(PROGRAMS)) {
	test(`${name}: the WebSocket is lost, and clients come meanwhile`, { timeout: 240_000 }, async () => {
		const port = await freePort();
		const { page, end } = await start(port);
		assert.equal(await until(() => talk(port, 'one\n'), 'the first client is served', 60_000), 'one\nbye\n');

		const before = await arrive(port); // accepted, and not served before the loss
		const isAccepted = (/** @type {string} */ peer) => page.evaluate((target) => /** @type {any} */ (globalThis).sockmux.stats().streams
			.some((/** @type {any} */ each) => each.state === 'open' && each.target === target), peer);
		await until(() => isAccepted(`127.0.0.1:${before.localPort}`), 'the figures show the connection by its peer');
		proxy.port = nowhere;
		proxy.cut('reset');
		await until(() => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status.state !== 'connected'), 'the page has lost its session');
		const clients = [before, ...await Promise.all(Array.from({ length: CLIENTS }, () => arrive(port)))];
		const answers = clients.map((socket, i) => ask(socket, `t${i}.\n`));
		proxy.port = world.sockmux.port;
		assert.deepEqual(await Promise.all(answers), clients.map((_, i) => `t${i}.\nbye\n`));
		assert.equal(await end(), null);

		// The server that the page comes back to knows nothing of its session.
		const other = await startSockmux(['--allow-origin', world.site.origin, ...LISTEN]);
		try {
			proxy.port = other.port;
			proxy.cut('reset');
			assert.match(await until(end, 'the program ends', 60_000), ENDS[name]);
		} finally {
			await page.context().close();
			await other.stop();
		}
	});
}
