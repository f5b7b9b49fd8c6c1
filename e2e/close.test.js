// Sockets that are closed before the server has answered: what was written arrives all
// the same, then the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const BYTES = 100_000;
const TIMES = 12;

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	async ready({ targets }) {
		ports = targets.ports;
		page = await open();
	},
});

/** A page with the script, and options of ours. @param {object} [options] @param {string} [file] */
async function open(options = {}, file = 'bare.html') {
	const fresh = await world.newPage();
	await fresh.addInitScript((given) => {
		const scope = /** @type {any} */ (globalThis);
		scope.sockmux = given;
		scope.unhandled = [];
		scope.addEventListener('unhandledrejection', (/** @type {any} */ event) => scope.unhandled.push(String(event.reason)));
	}, options);
	await fresh.goto(`${world.site.origin}/${file}`);
	await until(() => fresh.evaluate(() => /** @type {any} */ (globalThis).sockmux.status?.state === 'idle'), 'the wasm is there');
	return fresh;
}

/** What the target has got of the connections since `from`, once that many have ended. @param {number} from @param {number} count */
const ended = (from, count) => until(() => {
	const all = world.targets.connections.slice(from);
	return all.length >= count && all.every(({ end }) => end !== null) && all;
}, `${count} connections to end: ${JSON.stringify(world.targets.connections.slice(from))}`, 30_000);

/**
 * How a page may write and close without waiting for the server's answer. Each is run in
 * the page.
 */
const WAYS = {
	'each promise awaited': async (/** @type {any} */ scope, /** @type {number} */ port, /** @type {number} */ bytes) => {
		const s = scope.sockmux.connect('127.0.0.1', port);
		const w = s.writable.getWriter();
		await w.write(new Uint8Array(bytes));
		await w.close();
		s.close();
		await Promise.all([s.opened, s.closed]);
	},
	'nothing awaited': async (/** @type {any} */ scope, /** @type {number} */ port, /** @type {number} */ bytes) => {
		const s = scope.sockmux.connect('127.0.0.1', port);
		const w = s.writable.getWriter();
		const all = [w.write(new Uint8Array(bytes - 10)), w.write(new Uint8Array(10)), w.close(), s.opened, s.closed];
		s.close();
		await Promise.all(all);
	},
	'close() alone': async (/** @type {any} */ scope, /** @type {number} */ port, /** @type {number} */ bytes) => {
		const s = scope.sockmux.connect('127.0.0.1', port);
		const w = s.writable.getWriter();
		const all = [w.write(new Uint8Array(bytes - 10)), w.write(new Uint8Array(10)), s.opened, s.closed];
		s.close();
		await Promise.all(all);
	},
	'readable.cancel() at once': async (/** @type {any} */ scope, /** @type {number} */ port, /** @type {number} */ bytes) => {
		const s = scope.sockmux.connect('127.0.0.1', port);
		s.readable.cancel();
		const w = s.writable.getWriter();
		await w.write(new Uint8Array(bytes));
		await w.close();
		await Promise.all([s.opened, s.closed]);
	},
};

for (const [name, way] of Object.entries(WAYS)) {
	test(`closed before the answer, ${name}: all arrives, then the end`, { timeout: 60_000 }, async () => {
		const from = world.targets.connections.length;
		const lines = page.lines.length;
		await page.evaluate(async ([run, port, bytes, times]) => {
			const start = (0, eval)(`(${run})`);
			for (let i = 0; i < times; i++) await start(globalThis, port, bytes);
		}, /** @type {const} */ ([String(way), ports.record, BYTES, TIMES]));
		assert.deepEqual(await ended(from, TIMES), Array.from({ length: TIMES }, () => ({ bytes: BYTES, end: 'fin' })));
		assert.deepEqual(page.lines.slice(lines), [], 'nothing on the console');
	});
}

test('a WebSocket with data-optimistic: open, send, close', { timeout: 60_000 }, async () => {
	const optimistic = await open({ optimistic: true });
	const from = world.targets.connections.length;
	const closed = await optimistic.evaluate(async ([port, bytes, times]) => {
		const events = [];
		for (let i = 0; i < times; i++) {
			const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'binary');
			socket.onopen = () => {
				socket.send(new Uint8Array(bytes));
				socket.close();
			};
			events.push(await new Promise((resolve) => {
				socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
			}));
		}
		return events;
	}, [ports.record, BYTES, TIMES]);
	assert.deepEqual(closed, Array.from({ length: TIMES }, () => ({ code: 1000, wasClean: true })));
	assert.deepEqual(await ended(from, TIMES), Array.from({ length: TIMES }, () => ({ bytes: BYTES, end: 'fin' })));
	await optimistic.context().close();
});

test('an Emscripten program in the page\'s thread: connect(), send(), close() in one go', { timeout: 60_000 }, async () => {
	const program = await open({}, 'emscripten.html');
	const { echo, lines, halfclose, reset, refused, denied, record } = ports;
	const args = ['127.0.0.1', ...[echo, lines, halfclose, reset, refused, denied].map(String)];
	await program.evaluate((a) => /** @type {any} */ (globalThis).run('mainloop', a), args);
	await until(() => program.evaluate(() => /** @type {any} */ (globalThis).printed.some((/** @type {string} */ line) => line.startsWith('DONE'))), 'the program is done', 60_000);
	const from = world.targets.connections.length;
	const sent = await program.evaluate(([port, bytes, times]) => {
		const { SOCKFS } = /** @type {any} */ (globalThis);
		return Array.from({ length: times }, () => {
			const sock = SOCKFS.createSocket(2, 1, 0);
			sock.sock_ops.connect(sock, '127.0.0.1', port);
			const count = sock.sock_ops.sendmsg(sock, new Uint8Array(bytes), 0, bytes);
			sock.sock_ops.close(sock);
			return count;
		});
	}, [record, BYTES, TIMES]);
	assert.deepEqual(sent, Array.from({ length: TIMES }, () => BYTES));
	assert.deepEqual(await ended(from, TIMES), Array.from({ length: TIMES }, () => ({ bytes: BYTES, end: 'fin' })));
	await program.context().close();
});

test('connect(), close(): no noise', async () => {
	const from = page.lines.length;
	const outcome = await page.evaluate(async (port) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const s = sockmux.connect('127.0.0.1', port);
		s.close();
		await s.closed;
		const code = await s.opened.catch((/** @type {any} */ error) => error.code);
		const { unhandled } = /** @type {any} */ (globalThis);
		const quiet = sockmux.connect('127.0.0.1', port);
		quiet.close();
		await quiet.closed;
		await new Promise((resolve) => { setTimeout(resolve, 50); }); // unhandled rejections are told in a later task
		return { code, unhandled };
	}, ports.silent);
	assert.deepEqual(outcome, { code: 'aborted', unhandled: [] });
	assert.deepEqual(page.lines.slice(from), []);
});

test('a writer\'s promises of before the answer reject where the socket is refused', async () => {
	const codes = await page.evaluate(async (port) => {
		const s = /** @type {any} */ (globalThis).sockmux.connect('127.0.0.1', port);
		const w = s.writable.getWriter();
		const code = (/** @type {Promise<any>} */ promise) => promise.then(() => 'fulfilled', (error) => error.code);
		return Promise.all([w.write(new Uint8Array(10)), w.write('more'), w.close(), w.closed, s.opened, s.closed].map(code));
	}, ports.refused);
	assert.deepEqual(codes, Array.from({ length: 6 }, () => 'refused'));
});
