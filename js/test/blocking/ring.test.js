// The rings with a worker that really blocks on one side and the bridge on the other.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Worker as NodeWorker } from 'node:worker_threads';
import * as CODES from '../../src/wire/generated/code.js';
import { Bridge } from '../../src/blocking/bridge.js';
import { IN_BYTES, OUT_BYTES } from '../../src/blocking/layout.js';
import { failureText } from '../../src/webr/notes.js';
import { FakeTunnel } from '../fakes/tunnel.js';

/** @type {NodeWorker[]} */
const workers = [];

afterEach(async () => {
	for (const worker of workers.splice(0)) await worker.terminate();
});

/** @param {{ interruptAfter?: number }} [workerData] */
async function start(workerData = { interruptAfter: Infinity }, serverAsks = /** @type {import('../../src/sockfs/names/lookup.js').Resolve | undefined} */ (undefined)) {
	const thread = new NodeWorker(new URL('../fakes/ring.worker.js', import.meta.url), { workerData });
	workers.push(thread);
	// A page's Worker is an EventTarget.
	const worker = /** @type {any} */ (new EventTarget());
	/** @type {((answer: any) => void)[]} */
	const waiting = [];
	thread.on('message', (data) => {
		if (data.sockmux) worker.dispatchEvent(new MessageEvent('message', { data }));
		else waiting.shift()?.(data);
	});
	const tunnel = new FakeTunnel();
	/** @type {(() => void) | null} */
	let opened = null;
	/** @type {string[]} */
	const reports = [];
	const bridge = new Bridge(worker, {
		failed: (target, why) => void reports.push(failureText(target, why)),
		open(request, handlers) {
			const stream = tunnel.open(request, handlers);
			queueMicrotask(() => opened?.());
			return stream;
		},
		report: (text) => void reports.push(text),
		resolve: serverAsks,
	});
	await bridge.ready;
	/** Starts a step in the worker. @returns {Promise<any>} */
	const run = async (/** @type {string} */ step, /** @type {unknown[]} */ ...args) => {
		const answer = new Promise((resolve) => {
			waiting.push(resolve);
		});
		thread.postMessage({ step, args });
		const { result, error } = await answer;
		if (error) throw new Error(error);
		return result;
	};
	/**
	 * The stream of the next connect.
	 * @returns {Promise<import('../fakes/tunnel.js').FakeStream>}
	 */
	const next = () => new Promise((resolve) => {
		opened = () => resolve(/** @type {any} */ (tunnel.streams.at(-1)));
	});
	const connect = async () => {
		const stream = next();
		const state = run('connect', 'a.test', 80);
		(await stream).open();
		assert.equal((await state).state, 'open');
		return stream;
	};
	return { worker, bridge, tunnel, reports, run, next, connect };
}

const pattern = (/** @type {number} */ from, /** @type {number} */ count) => Uint8Array.from({ length: count }, (_, i) => ((from + i) * 31) >> 3);

/** Resolves when the worker has got so far that `ready` holds. @param {() => unknown} ready */
async function until(ready) {
	while (!ready()) {
		await new Promise((resolve) => {
			setImmediate(resolve);
		});
	}
}

describe('connect', () => {
	test('ends with the answer, and both ends are known', async () => {
		const { run, next } = await start();
		const stream = next();
		const answer = run('connect', 'a.test', 80);
		const { request, handlers } = await stream;
		assert.deepEqual(request, { host: 'a.test', port: 80, window: IN_BYTES });
		handlers.onopen({ bound: { addr: '192.0.2.1', port: 5 }, remote: { addr: '2001:db8::1', port: 80 } });
		assert.deepEqual(await answer, { state: 'open', error: 0, text: '', local: { addr: '192.0.2.1', port: 5 }, remote: { addr: '2001:db8::1', port: 80 } });
	});

	test('fails with the errno and the text, and the page tells it', async () => {
		const { run, next, reports } = await start();
		const stream = next();
		const answer = run('connect', 'a.test', 80);
		(await stream).end(CODES.refused, 'nobody listens: ä');
		assert.deepEqual(await answer, { state: 'closed', error: 14, text: 'refused: nobody listens: ä', local: null, remote: null });
		assert.deepEqual(reports, ['R\'s connection to a.test:80 failed: refused: nobody listens: ä']);
	});

	test('the reason stays in the worker, until the next attempt', async () => {
		const { run, next } = await start();
		for (const code of [CODES.refused, CODES.denied]) {
			const stream = next();
			const answer = run('connect', 'a.test', 80);
			(await stream).end(code, 'no');
			await answer;
			assert.deepEqual(await run('why', 'a.test', 80), ['', '']);
			await run('takeError', code === CODES.refused ? 0 : 1);
			const why = `${code === CODES.refused ? 'refused' : 'denied'}: a.test:80: no`;
			assert.deepEqual(await run('why', 'a.test', 80), [why, why]);
		}
	});

	test('options travel with it, and later', async () => {
		const { run, next } = await start();
		const stream = next();
		const answer = run('connect', 'a.test', 80, { noDelay: true });
		const { request, handlers } = await stream;
		assert.deepEqual(request, { host: 'a.test', port: 80, window: IN_BYTES, socketOptions: { noDelay: true } });
		handlers.onopen({ bound: null, remote: null });
		await answer;
		/** @type {unknown[]} */
		const later = [];
		/** @type {any} */ (await stream).setSocketOptions = (/** @type {unknown} */ options) => later.push(options);
		await run('setOptions', 0, { keepAlive: true });
		await until(() => later.length === 1);
		assert.deepEqual(later, [{ keepAlive: true }]);
	});

	test('an interrupt ends it', async () => {
		const { run, next } = await start({ interruptAfter: 3 });
		const stream = next();
		const answer = run('connect', 'a.test', 80);
		await stream;
		await assert.rejects(answer, /interrupt/);
	});
});

describe('bytes', () => {
	test('what arrives wakes the reader, and the end is behind it', async () => {
		const { run, connect } = await start();
		const { handlers } = await connect();
		const answer = run('readAll', 0, 5);
		handlers.ondata(Buffer.from('hello, '));
		handlers.ondata(Buffer.from('world'));
		handlers.oneof();
		assert.deepEqual(await answer, { text: 'hello, world', error: 0 });
	});

	test('many times the ring come through unchanged, never more than a window ahead', async () => {
		const total = 5 * IN_BYTES + 12_345;
		const { run, connect } = await start();
		const stream = await connect();
		const answer = run('readPattern', 0, total, 70_001);
		let [sent, window, read] = [0, IN_BYTES, 0];
		while (sent < total) {
			for (; read < stream.calls.length; read++) window += Number(/^grant (\d+)$/.exec(stream.calls[read])?.[1] ?? 0);
			const count = Math.min(window, 99_991, total - sent);
			if (count > 0) stream.handlers.ondata(pattern(sent, count));
			sent += count;
			window -= count;
			await until(() => window > 0 || read < stream.calls.length || sent === total);
		}
		assert.deepEqual(await answer, { done: total, wrong: false });
	});

	test('a stream that does not keep to its window loses nothing', async () => {
		const total = 3 * IN_BYTES;
		const { run, connect } = await start();
		const stream = await connect();
		stream.handlers.ondata(pattern(0, total));
		stream.handlers.oneof();
		stream.end(CODES.reset, 'gone');
		assert.deepEqual(await run('status', 0), { state: 'open', error: 0, alive: true }, 'the end is not told before the bytes');
		assert.deepEqual(await run('readPattern', 0, total, 100_000), { done: total, wrong: false });
		assert.deepEqual(await run('readAll', 0, 1), { text: '', error: 15 });
	});

	test('a writer waits for what has not left', async () => {
		const total = 4 * OUT_BYTES + 777;
		const { run, connect } = await start();
		const stream = await connect();
		const answer = run('writePattern', 0, total, 60_000);
		let left = 0;
		const length = () => stream.written.reduce((sum, bytes) => sum + bytes.length, 0);
		await until(() => length() === OUT_BYTES);
		while (left < total) {
			await until(() => length() > left);
			assert.ok(length() - left <= OUT_BYTES, `${length() - left} bytes on the way`);
			const count = Math.min(length() - left, 50_000);
			left += count;
			stream.handlers.onwritten(count);
		}
		assert.deepEqual(await answer, { done: total, waited: true });
		assert.equal(Buffer.compare(Buffer.concat(stream.written), pattern(0, total)), 0);
	});

	test('peek leaves them', async () => {
		const { run, connect } = await start();
		const { handlers } = await connect();
		handlers.ondata(Buffer.from('abc'));
		assert.equal(await run('peek', 0, 2), 'ab');
		handlers.oneof();
		assert.deepEqual(await run('readAll', 0, 100), { text: 'abc', error: 0 });
	});
});

describe('the end', () => {
	test('of the peer leaves our direction open', async () => {
		const { run, connect } = await start();
		const stream = await connect();
		stream.handlers.oneof();
		assert.deepEqual(await run('readAll', 0, 1), { text: '', error: 0 });
		assert.equal((await run('status', 0)).state, 'open');
		await run('write', 0, 'still here');
		await until(() => stream.text === 'still here');
	});

	test('shutdown and close come behind what was written', async () => {
		const { run, connect, bridge } = await start();
		const stream = await connect();
		await run('write', 0, 'last words');
		await run('shutdown', 0, 1);
		await run('shutdown', 0, 0);
		await until(() => stream.calls.length === 2);
		assert.equal(stream.text, 'last words');
		assert.deepEqual(stream.calls, ['closeWrite', 'stop']);
		assert.equal(bridge.size, 1);
		await run('close', 0);
		await until(() => stream.calls.includes('close'));
		assert.equal(bridge.size, 0);
	});

	test('a reset drops the stream', async () => {
		const { run, connect, bridge } = await start();
		const stream = await connect();
		await run('reset', 0);
		await until(() => stream.calls.length > 0);
		assert.deepEqual(stream.calls, ['reset']);
		assert.equal(bridge.size, 0);
	});

	test('events after close touch nothing', async () => {
		const { run, connect, bridge, reports } = await start();
		const stream = await connect();
		await run('close', 0);
		await until(() => bridge.size === 0);
		stream.handlers.ondata(Buffer.from('late'));
		stream.handlers.onwritten(4);
		stream.handlers.oneof();
		stream.end(CODES.reset, 'late');
		const second = await connect();
		second.handlers.ondata(Buffer.from('second'));
		second.handlers.oneof();
		assert.deepEqual(await run('readAll', 1, 100), { text: 'second', error: 0 }, 'the buffer is used again and clean');
		assert.deepEqual(reports, []);
	});

	test('a connection that is given up before the answer is told', async () => {
		const { run, next, reports, bridge } = await start({ interruptAfter: 2 });
		const stream = next();
		await assert.rejects(run('connect', 'slow.test', 80), /interrupt/);
		await stream;
		await run('close', 0);
		await until(() => bridge.size === 0);
		assert.deepEqual(reports, ['R\'s connection to slow.test:80 failed: R gave it up before there was an answer']);
	});

	test('of the bridge ends every socket and wakes who waits', async () => {
		const { run, connect, bridge } = await start();
		const stream = await connect();
		const answer = run('readAll', 0, 1);
		bridge.close();
		bridge.close();
		assert.deepEqual(await answer, { text: '', error: 38 });
		assert.deepEqual(stream.calls, ['reset']);
		assert.equal((await run('status', 0)).alive, false);
	});
});

describe('names', () => {
	/** @type {string[]} */
	const asked = [];
	const ask = async (/** @type {string} */ name) => {
		asked.push(name);
		if (name === 'no.test') throw Object.assign(new Error('no such name'), { name: 'name_not_found' });
		if (name === 'broken.test') throw Object.assign(new Error('no server'), { name: 'not_connected' });
		return name.endsWith('.arpa') ? { addresses: [], names: ['yes.test', 'a.test'], ttl: 60 } : { addresses: ['192.0.2.1', '2001:db8::1'], names: [], ttl: 60 };
	};

	test('the server is asked once, and only "not found" is an answer against one', async () => {
		const { run } = await start(undefined, ask);
		for (const [name, state] of [['yes.test', 'found'], ['no.test', 'missing'], ['broken.test', 'found'], ['no.test', 'missing'], ['yes.test', 'found']]) {
			const found = name === 'yes.test' ? ['192.0.2.1', '2001:db8::1'] : [];
			assert.deepEqual(await run('lookup', name), { state, found }, name);
		}
		assert.deepEqual(asked, ['yes.test', 'no.test', 'broken.test']);
	});

	test('an address has names, and an answer that is too long has the first of them', async () => {
		const long = Array.from({ length: 40 }, (_, i) => `${i}.${'a'.repeat(200)}.test`);
		const { run } = await start(undefined, async (name) => ({ addresses: [], names: name.startsWith('1') ? ['yes.test', 'a.test'] : long, ttl: 60 }));
		assert.deepEqual(await run('lookup', '1.2.0.192.in-addr.arpa'), { state: 'found', found: ['yes.test', 'a.test'] });
		const { found } = await run('lookup', '2.2.0.192.in-addr.arpa');
		assert.ok(found.length > 10 && found.length < long.length, `${found.length}`);
		assert.deepEqual(found, long.slice(0, found.length));
	});

	test('a page that cannot ask leaves the name to connect()', async () => {
		const { run, bridge } = await start();
		assert.deepEqual(await run('lookup', 'no.test'), { state: 'found', found: [] });
		bridge.close();
		assert.deepEqual(await run('lookup', 'other.test'), { state: 'found', found: [] });
	});
});

test('a wait lasts what it says', async () => {
	const { run } = await start();
	const took = await run('wait', 120);
	assert.ok(took >= 119 && took < 1000, `${took} ms`);
});

test('a layer of another build is told apart, its notes are passed on', async () => {
	const { worker, reports } = await start();
	const say = (/** @type {unknown} */ data) => worker.dispatchEvent(new MessageEvent('message', { data }));
	say({ type: 'resolve' });
	say({ sockmux: { op: 'hello', layout: 99, signal: new SharedArrayBuffer(8) } });
	say({ sockmux: { op: 'note', text: 'a note' } });
	say({ sockmux: { op: 'kick', id: 12345 } });
	assert.deepEqual(reports, ['the worker has the layer of another version of sockmux: reload the page', 'a note']);
});
