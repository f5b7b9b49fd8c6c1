import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStreamSocket } from '../../src/facade/websocket.js';
import * as CODES from '../../src/wire/generated/code.js';
import { fakeScope, NativeSocket } from '../fakes/page.js';
import { FakeTunnel, settled } from '../fakes/tunnel.js';

const URL_ = 'wss://example.org:7/';

/** @param {object} [options] */
function make(options) {
	const tunnel = new FakeTunnel();
	const StreamSocket = createStreamSocket(/** @type {any} */ (tunnel), fakeScope(), options);
	/** @type {any} */
	const ws = new StreamSocket(URL_, { host: 'example.org', port: 7 });
	ws.binaryType = 'arraybuffer';
	const [stream] = tunnel.streams;
	/** @type {string[]} */
	const events = [];
	for (const type of ['open', 'message', 'error', 'close']) {
		ws.addEventListener(type, (/** @type {any} */ event) => {
			const detail = { message: () => Buffer.from(event.data instanceof Blob ? [] : event.data).toString('latin1'), close: () => `${event.code} ${event.reason} ${event.wasClean}` }[type];
			events.push(detail ? `${type} ${detail()}` : type);
		});
	}
	return { tunnel, StreamSocket, ws, stream, events };
}

/** @param {object} [options] */
async function makeOpen(options) {
	const all = make(options);
	all.stream.open();
	await all.tunnel.run();
	all.events.length = 0;
	return all;
}

/** @param {string} text */
const bytes = (text) => new Uint8Array(Buffer.from(text, 'latin1'));

test('the request holds target and options, and a bound for what waits', () => {
	const { request } = make({ timeoutMs: 500, optimistic: true }).stream;
	assert.deepEqual({ ...request, window: request.window > 0 && request.window < Infinity }, { host: 'example.org', port: 7, timeoutMs: 500, optimistic: true, window: true });
});

test('attributes before and after the open', async () => {
	const { ws, stream, tunnel, events } = make();
	assert.equal(ws.readyState, 0);
	assert.equal(ws.protocol, '');
	assert.equal(ws.extensions, '');
	assert.equal(ws.url, URL_);
	assert.equal(ws.bufferedAmount, 0);
	stream.open();
	assert.deepEqual([ws.readyState, events], [0, []], 'nothing happens inside the call');
	await tunnel.run();
	assert.deepEqual([ws.readyState, ws.protocol, events], [1, 'binary', ['open']]);
});

test('constants are on class, prototype and instance, and cannot be changed', () => {
	const { ws, StreamSocket } = make();
	for (const place of [StreamSocket, StreamSocket.prototype, ws]) {
		const { CONNECTING, OPEN, CLOSING, CLOSED } = /** @type {any} */ (place);
		assert.deepEqual([CONNECTING, OPEN, CLOSING, CLOSED], [0, 1, 2, 3]);
	}
	assert.throws(() => {
		ws.OPEN = 5;
	}, TypeError);
});

test('instances are instances of the native class and of EventTarget', () => {
	const { ws } = make();
	assert.ok(ws instanceof NativeSocket);
	assert.ok(ws instanceof EventTarget);
	assert.equal(Object.prototype.toString.call(ws), '[object WebSocket]');
});

test('binaryType begins as blob, takes two values and ignores others', () => {
	const tunnel = new FakeTunnel();
	/** @type {any} */
	const ws = new (createStreamSocket(/** @type {any} */ (tunnel), fakeScope()))(URL_, { host: 'h', port: 1 });
	assert.equal(ws.binaryType, 'blob');
	ws.binaryType = 'arraybuffer';
	ws.binaryType = 'text';
	assert.equal(ws.binaryType, 'arraybuffer');
});

test('a message is a Blob where the program wants one', async () => {
	const { ws, stream, tunnel } = await makeOpen();
	ws.binaryType = 'blob';
	/** @type {any[]} */
	const got = [];
	ws.onmessage = (/** @type {any} */ event) => got.push(event);
	stream.handlers.ondata(bytes('abc'));
	await tunnel.run();
	assert.ok(got[0].data instanceof Blob);
	assert.equal(await got[0].data.text(), 'abc');
	assert.equal(got[0].origin, 'wss://example.org:7');
});

test('what comes in one task is one message, in order, and grants follow when they are worth it', async () => {
	const { stream, tunnel, events } = await makeOpen();
	for (const part of ['one ', 'two ', 'three']) stream.handlers.ondata(bytes(part));
	assert.deepEqual(events, []);
	await tunnel.run();
	stream.handlers.ondata(bytes('four'));
	await tunnel.run();
	assert.deepEqual(events, ['message one two three', 'message four']);
	assert.deepEqual(stream.calls, []);
	stream.handlers.ondata(new Uint8Array(1 << 20));
	await tunnel.run();
	assert.deepEqual(stream.calls, ['grant 1048593']);
});

test('short chunks are joined to messages of some 256 KiB, long ones are messages; no byte is lost', async () => {
	const { ws, stream, tunnel } = await makeOpen();
	/** @type {Buffer[]} */
	const got = [];
	ws.onmessage = (/** @type {any} */ event) => got.push(Buffer.from(event.data));
	const all = new Uint8Array(1_000_000).map((_, i) => i * 7);
	for (let at = 0; at < 700_000; at += 50_000) stream.handlers.ondata(all.slice(at, at + 50_000));
	for (const [from, to] of [[700_000, 800_000], [800_000, 800_001], [800_001, 810_000], [810_000, 1_000_000]]) stream.handlers.ondata(all.slice(from, to));
	await tunnel.run();
	assert.deepEqual(got.map(({ length }) => length), [300_000, 300_000, 100_000, 100_000, 10_000, 190_000]);
	assert.ok(Buffer.concat(got).equals(all));
});

test('promises of the page settle between open and the first message', async () => {
	const { ws, stream, tunnel } = make();
	/** @type {string[]} */
	const order = [];
	ws.onopen = () => Promise.resolve().then(() => {
		order.push('after open');
		ws.onmessage = () => order.push('message');
	});
	stream.open();
	stream.handlers.ondata(bytes('x'));
	await tunnel.run();
	assert.deepEqual(order, ['after open', 'message']);
});

test('a first message that SOCKFS would take for a port is split', async () => {
	const { stream, tunnel, events } = await makeOpen();
	stream.handlers.ondata(bytes('\xff\xff\xff\xffport\x01\x02'));
	await tunnel.run();
	assert.deepEqual(events, ['message \xff\xff\xff\xffport', 'message \x01\x02']);
	stream.handlers.ondata(bytes('\xff\xff\xff\xffport\x01\x02'));
	await tunnel.run();
	assert.equal(events.at(-1), 'message \xff\xff\xff\xffport\x01\x02', 'only the first is taken for one');
});

test('a first message in two chunks, and one that only looks alike', async () => {
	const first = await makeOpen();
	first.stream.handlers.ondata(bytes('\xff\xff\xff\xffpo'));
	first.stream.handlers.ondata(bytes('rt\x01\x02'));
	await first.tunnel.run();
	assert.deepEqual(first.events, ['message \xff\xff\xff\xffport', 'message \x01\x02']);
	const second = await makeOpen();
	second.stream.handlers.ondata(bytes('\xff\xff\xff\xffport\x01\x02\x03'));
	await second.tunnel.run();
	assert.deepEqual(second.events, ['message \xff\xff\xff\xffport\x01\x02\x03']);
});

test('send takes buffers, views with their offset, strings and anything with a string', async () => {
	const { ws, stream } = await makeOpen();
	const all = bytes('0123456789');
	ws.send(all.buffer);
	ws.send(all.subarray(2, 5));
	ws.send(new DataView(all.buffer, 7, 2));
	ws.send(new Uint16Array(bytes('ab').buffer));
	ws.send('grün');
	ws.send(42);
	ws.send(null);
	assert.deepEqual(stream.written.map((chunk) => Buffer.from(chunk).toString()), ['0123456789', '234', '78', 'ab', 'grün', '42', 'null']);
});

test('a sent buffer may change afterwards, also behind a Blob', async () => {
	const { ws, stream } = await makeOpen();
	const data = bytes('abc');
	ws.send(data);
	ws.send(new Blob(['BLOB']));
	ws.send(data);
	data.fill(0);
	await settled();
	assert.equal(stream.text, 'abcBLOBabc');
});

test('Blobs keep their place, and close waits for them', async () => {
	const { ws, stream } = await makeOpen();
	ws.send('1');
	ws.send(new Blob(['2', '2']));
	ws.send('3');
	ws.send(new Blob(['4']));
	ws.close();
	assert.deepEqual(stream.calls, []);
	await settled();
	await settled();
	assert.equal(stream.text, '12234');
	assert.deepEqual(stream.calls, ['close']);
});

test('a Blob that cannot be read fails the socket', async () => {
	const { ws, stream, tunnel, events } = await makeOpen();
	const broken = new Blob(['x']);
	broken.arrayBuffer = () => Promise.reject(new Error('gone'));
	ws.send(broken);
	await settled();
	await tunnel.run();
	assert.deepEqual(stream.calls, ['reset']);
	assert.deepEqual(events, ['error', 'close 1006  false']);
});

test('bufferedAmount counts what has not left', async () => {
	const { ws, stream } = await makeOpen();
	ws.send('12345');
	ws.send(new Blob(['678']));
	assert.equal(ws.bufferedAmount, 8);
	stream.handlers.onwritten(5);
	assert.equal(ws.bufferedAmount, 3);
	ws.close();
	ws.send('late');
	assert.equal(ws.bufferedAmount, 7, 'what is sent too late only counts');
	await settled();
	assert.equal(stream.text, '12345678');
});

test('send before the open throws, and without an argument', async () => {
	const { ws } = make();
	assert.throws(() => ws.send('x'), { name: 'InvalidStateError' });
	assert.throws(() => ws.send(), TypeError);
});

test('close checks code and reason', async () => {
	const { ws } = await makeOpen();
	for (const code of [999, 1001, 1005, 2999, 5000, 65536, NaN, 'x', null]) assert.throws(() => ws.close(code), { name: 'InvalidAccessError' }, `${code}`);
	assert.throws(() => ws.close(1000, 'ä'.repeat(62)), { name: 'SyntaxError' });
	assert.equal(ws.readyState, 1);
	ws.close(3000, 'ä'.repeat(61));
	assert.equal(ws.readyState, 2);
});

test('close delivers what was sent and ends clean with the code given', async () => {
	const { ws, stream, tunnel, events } = await makeOpen();
	ws.close(3001, 'bye');
	ws.close();
	assert.deepEqual([ws.readyState, stream.calls], [2, ['close']]);
	stream.handlers.ondata(bytes('late'));
	stream.end(CODES.ok);
	await tunnel.run();
	assert.deepEqual([ws.readyState, events], [3, ['close 3001 bye true']]);
});

test('close before the open is an error and 1006', async () => {
	const { ws, stream, tunnel, events } = make();
	ws.close(undefined, undefined);
	assert.deepEqual([ws.readyState, events], [2, []]);
	stream.open();
	stream.end(CODES.aborted);
	await tunnel.run();
	assert.deepEqual([ws.readyState, ws.protocol, stream.calls, events], [3, '', ['reset'], ['error', 'close 1006  false']]);
});

test("the peer's FIN is a clean close after all data", async () => {
	const { ws, stream, tunnel, events } = await makeOpen();
	stream.handlers.ondata(bytes('last'));
	stream.handlers.oneof();
	await tunnel.run();
	assert.deepEqual([ws.readyState, events, stream.calls], [2, ['message last'], ['close']]);
	stream.end(CODES.ok);
	await tunnel.run();
	assert.deepEqual([ws.readyState, events], [3, ['message last', 'close 1000  true']]);
});

test('a reset comes after the data before it, with code and reason', async () => {
	const { stream, tunnel, events } = await makeOpen();
	stream.handlers.ondata(bytes('data'));
	stream.end(CODES.reset, 'connection reset by peer');
	await tunnel.run();
	assert.deepEqual(events, ['message data', 'error', 'close 4008 reset: connection reset by peer false']);
});

test('a refusal is error, then close, never open', async () => {
	const { ws, stream, tunnel, events } = make();
	stream.end(CODES.refused);
	await tunnel.run();
	assert.deepEqual([ws.readyState, ws.protocol, events], [3, '', ['error', 'close 4001 refused false']]);
});

test('a long reason is cut at 123 bytes between two characters', async () => {
	const { ws, stream, tunnel } = make();
	let reason = '';
	ws.onclose = (/** @type {any} */ event) => {
		({ reason } = event);
	};
	stream.end(CODES.internal, 'ü'.repeat(200));
	await tunnel.run();
	assert.match(reason, /^internal: ü+$/);
	assert.ok([122, 123].includes(Buffer.byteLength(reason)));
});

test('handlers are called with the socket as this, in the place where they were first set', async () => {
	const { ws, stream, tunnel } = make();
	/** @type {unknown[]} */
	const order = [];
	ws.onopen = () => order.push('never');
	ws.addEventListener('open', () => order.push('listener'));
	ws.onopen = function handler() {
		order.push(this === ws);
	};
	assert.equal(typeof ws.onopen, 'function');
	stream.open();
	await tunnel.run();
	assert.deepEqual(order, [true, 'listener']);
	ws.onopen = null;
	assert.equal(ws.onopen, null);
	ws.onopen = 'text';
	assert.equal(ws.onopen, null);
	ws.dispatchEvent(new Event('open'));
	assert.deepEqual(order, [true, 'listener', 'listener']);
});

test("Node's methods give Node's arguments", async () => {
	const { ws, stream, tunnel } = make();
	/** @type {any[]} */
	const got = [];
	const removed = () => got.push('removed');
	ws.on('open', () => got.push('open')).on('open', removed).off('open', removed);
	ws.addListener('open', removed);
	ws.removeListener('open', removed);
	ws.once('message', (/** @type {any} */ data, /** @type {any} */ binary) => got.push([Buffer.from(data).toString(), binary]));
	ws.on('error', (/** @type {any} */ error) => got.push(error instanceof Error));
	ws.on('close', (/** @type {any} */ code, /** @type {any} */ reason) => got.push([code, reason]));
	stream.open();
	stream.handlers.ondata(bytes('a'));
	await tunnel.run();
	stream.handlers.ondata(bytes('b'));
	stream.end(CODES.reset);
	await tunnel.run();
	assert.deepEqual(got, ['open', ['a', true], true, [4008, 'reset']]);
});

test('nothing comes after close', async () => {
	const { stream, tunnel, events } = await makeOpen();
	stream.end(CODES.ok);
	stream.end(CODES.reset);
	stream.handlers.oneof();
	await tunnel.run();
	stream.handlers.ondata(bytes('x'));
	await tunnel.run();
	assert.deepEqual(events, ['close 1000  true']);
});
