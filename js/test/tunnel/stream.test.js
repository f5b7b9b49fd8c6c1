import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as KIND from '../../src/wire/generated/kind.js';
import * as EVENT from '../../src/wire/generated/event.js';
import { ending } from '../../src/wire/codes.js';
import * as CODES from '../../src/wire/generated/code.js';
import { Blocks } from '../../src/tunnel/backlog.js';
import { Stream } from '../../src/tunnel/stream.js';
import { Tasks } from '../fakes/tunnel.js';

/** Records the calls of a boundary. */
function fakeBoundary() {
	/** @type {unknown[][]} */
	const calls = [];
	return { calls, boundary: /** @type {any} */ (new Proxy({}, {
		get: (_, name) => (/** @type {unknown[]} */ ...args) => void calls.push([name, ...args.map((arg) => (arg instanceof Uint8Array ? arg.length : arg))]),
	})) };
}

/** @param {object} [request] @param {object} [more]  handlers */
function make(request, more) {
	const tasks = new Tasks();
	/** @type {any[]} */
	const told = [];
	const stream = new Stream(3, { host: 'h', port: 1, ...request }, {
		onopen: (ends) => told.push(['open', ends]),
		ondata: (bytes) => told.push(['data', Buffer.from(bytes).toString()]),
		oneof: () => told.push(['eof']),
		onwritten: (bytes) => told.push(['written', bytes]),
		onclose: (why) => told.push(['close', why.name, why.text]),
		...more,
	}, { schedule: tasks.schedule, gather: (work) => work(), blocks: new Blocks(), onended: () => told.push(['ended']) });
	return { stream, told, tasks, ...fakeBoundary() };
}

/** @param {number} kind @param {object} [rest] */
const event = (kind, rest) => ({ kind, id: 3, a: 0, b: 0, data: new Uint8Array(0), ...rest });

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

test('what is asked for before the wasm is ready happens when it is, in order', () => {
	const { stream, calls, boundary } = make({ window: 10 });
	const bytes = new Uint8Array([1, 2, 3]);
	stream.write(bytes);
	bytes.fill(9);
	stream.grant(5);
	stream.close();
	assert.equal(stream.state, 'closing');
	stream.attach(boundary);
	assert.deepEqual(calls, [['open', 3, { kind: KIND.tcp, host: 'h', port: 1, window: 15 }], ['stop', 3], ['write', 3, 3], ['closeWrite', 3]]);
});

test('the life of a stream, told in order', () => {
	const { stream, told, boundary } = make();
	stream.attach(boundary);
	stream.deliver(event(EVENT.opened, { a: 4000, b: 80, data: utf8('10.0.0.1\x00192.0.2.1') }));
	stream.deliver(event(EVENT.data, { data: utf8('hello') }));
	stream.write(new Uint8Array(4));
	stream.deliver(event(EVENT.written, { a: 4 }));
	stream.deliver(event(EVENT.eof));
	stream.deliver(event(EVENT.closed, { a: 0 }));
	stream.deliver(event(EVENT.data, { data: utf8('late') }));
	assert.deepEqual(told, [
		['open', { bound: { addr: '10.0.0.1', port: 4000 }, remote: { addr: '192.0.2.1', port: 80 }, alpn: undefined }],
		['data', 'hello'], ['written', 4], ['eof'], ['ended'], ['close', 'ok', ''],
	]);
	assert.deepEqual([stream.bytesIn, stream.bytesOut, stream.state, typeof stream.connectMs], [5, 4, 'closed', 'number']);
});

test('addresses that the server did not say are null', () => {
	const { stream, told, boundary } = make();
	stream.attach(boundary);
	stream.deliver(event(EVENT.opened, { data: utf8('\0') }));
	assert.deepEqual(told, [['open', { bound: null, remote: null, alpn: undefined }]]);
});

test('the wasm holds 512 KiB at most; the rest follows as it is written, then the end', () => {
	const { stream, calls, boundary } = make();
	stream.attach(boundary);
	stream.write(new Uint8Array(1_000_000));
	stream.write(new Uint8Array(10));
	stream.closeWrite();
	assert.deepEqual(calls.slice(1), [['write', 3, 262_144], ['write', 3, 262_144]]);
	assert.equal(stream.buffered, 1_000_010);
	stream.deliver(event(EVENT.written, { a: 300_000 }));
	stream.deliver(event(EVENT.written, { a: 224_288 }));
	const sizes = calls.slice(1).filter(([name]) => name === 'write').map(([, , size]) => Number(size));
	assert.equal(sizes.reduce((a, b) => a + b), 1_000_010);
	assert.equal(calls.at(-1)?.[0], 'closeWrite');
	assert.equal(calls.filter(([name]) => name === 'closeWrite').length, 1);
	stream.write(new Uint8Array(1));
	assert.equal(stream.buffered, 475_722, 'nothing is taken after the end');
});

test('stop silences data and eof', () => {
	const { stream, told, boundary } = make();
	stream.attach(boundary);
	stream.stop();
	stream.deliver(event(EVENT.data, { data: utf8('x') }));
	stream.deliver(event(EVENT.eof));
	assert.deepEqual(told, []);
});

test('a stream given up before the wasm is ready ends in a task and is never opened', async () => {
	for (const [how, name] of /** @type {const} */ ([['close', 'ok'], ['reset', 'aborted']])) {
		const { stream, told, tasks, calls, boundary } = make();
		stream[how]();
		stream.attach(boundary);
		assert.deepEqual([told, calls], [[], []]);
		await tasks.run();
		assert.deepEqual(told, [['ended'], ['close', name, 'given up before it was open']]);
	}
});

test('a stream that is closed before the answer is given up where nothing was written, and delivered where something was', () => {
	const empty = make();
	empty.stream.attach(empty.boundary);
	empty.stream.close();
	empty.stream.close();
	assert.deepEqual(empty.calls.slice(1), [['reset', 3, CODES.aborted]]);
	empty.stream.deliver(event(EVENT.closed, { a: CODES.aborted }));
	assert.deepEqual(empty.told, [['ended'], ['close', 'ok', 'given up before it was open']]);

	const full = make();
	full.stream.attach(full.boundary);
	full.stream.write(new Uint8Array(9));
	full.stream.close();
	assert.deepEqual(full.calls.slice(1), [['write', 3, 9], ['stop', 3], ['closeWrite', 3]]);
	full.stream.deliver(event(EVENT.closed, { a: CODES.refused }));
	assert.deepEqual(full.told, [['ended'], ['close', 'refused', '']]);
});

test('a tunnel that goes away resets the streams whose bytes the wasm has not all got', () => {
	/** @param {(made: ReturnType<typeof make>) => void} write @param {boolean} [holds] */
	const calls = (write, holds) => {
		const made = make({}, { holds: () => holds ?? false });
		made.stream.attach(made.boundary);
		write(made);
		made.stream.abandon();
		return made.calls.filter(([name]) => name === 'reset').length;
	};
	assert.equal(calls(({ stream }) => stream.write(new Uint8Array(100))), 0);
	assert.equal(calls(({ stream }) => stream.write(new Uint8Array(1_000_000))), 1);
	assert.equal(calls(({ stream }) => stream.write(new Uint8Array(100)), true), 1);
	assert.equal(calls(({ stream }) => {
		stream.write(new Uint8Array(1_000_000));
		stream.closeWrite();
	}), 1);
});

test('reset gives up what waits', async () => {
	const { stream, told, tasks, calls, boundary } = make();
	stream.attach(boundary);
	stream.write(new Uint8Array(1_000_000));
	stream.reset(CODES.reset);
	stream.deliver(event(EVENT.written, { a: 524_288 }));
	await tasks.run();
	assert.deepEqual(calls.slice(3), [['reset', 3, CODES.reset]]);
	stream.deliver(event(EVENT.closed, { a: CODES.aborted, data: utf8('why') }));
	assert.deepEqual(told.at(-1), ['close', 'aborted', 'why']);
});

test('codes that nobody knows are internal', () => {
	assert.deepEqual(ending(99, 'x'), { code: 23, name: 'internal', errno: 29, closeCode: 4023, text: 'code 99: x' });
	assert.equal(ending(-1).text, 'code -1');
	assert.equal(ending(0).closeCode, 1000);
});
