// A stream of the tunnel's shape over the rings: each look takes in what has come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../src/blocking/bridge.js';
import { IN_BYTES, OUT_BYTES } from '../../src/blocking/layout.js';
import { RingConnector } from '../../src/blocking/ring.js';
import { RingStream } from '../../src/blocking/stream.js';
import * as CODES from '../../src/wire/generated/code.js';
import { FakeTunnel } from '../fakes/tunnel.js';

function open() {
	const tunnel = new FakeTunnel();
	const bridge = new Bridge(/** @type {any} */ (new EventTarget()), { open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: () => {} });
	const connector = new RingConnector((message) => bridge.receive(message), () => {});
	connector.hello('');
	/** @type {any[]} */
	const told = [];
	const stream = new RingStream(connector.connect({ host: 'h', port: 1 }), {
		onopen: () => told.push(['open']),
		ondata: (bytes) => told.push(['data', bytes.length]),
		oneof: () => told.push(['eof']),
		onwritten: (bytes) => told.push(['written', bytes]),
		onclose: ({ code, text }) => told.push(['close', code, text]),
	});
	const [far] = tunnel.streams;
	return { stream, told, far, sent: () => Buffer.concat(far.written) };
}

const ADDRESSES = { bound: { addr: '127.0.0.1', port: 1 }, remote: { addr: '127.0.0.1', port: 2 } };

test('nothing is told before a look, and nothing is due behind it', () => {
	const { stream, told, far } = open();
	assert.equal(stream.due, false);
	far.handlers.onopen(ADDRESSES);
	far.handlers.ondata(new Uint8Array(3));
	assert.deepEqual([stream.due, told.length], [true, 0]);
	stream.look();
	assert.deepEqual(told, [['open'], ['data', 3]]);
	assert.equal(stream.due, false);
});

test('what is enough leaves the rest in the ring', () => {
	const { stream, told, far } = open();
	far.handlers.onopen(ADDRESSES);
	far.handlers.ondata(new Uint8Array(IN_BYTES));
	stream.look(() => told.length > 2);
	assert.equal(told.filter(([what]) => what === 'data').length, 2);
	assert.equal(stream.due, true);
	stream.look();
	assert.equal(told.reduce((sum, [what, size]) => sum + (what === 'data' ? size : 0), 0), IN_BYTES);
});

test('bytes are the receiver\'s own, though the ring gives all in one buffer', () => {
	const scratch = new Uint8Array(1);
	let given = 0;
	const socket = { state: 'open', local: null, remote: null, ended: false, eof: false, room: 1, unsent: 0, available: 0, recv: () => (given < 2 ? (scratch.fill(++given), scratch) : null) };
	/** @type {Uint8Array[]} */
	const kept = [];
	new RingStream(/** @type {any} */ (socket), { ondata: (bytes) => kept.push(bytes) }).look();
	assert.deepEqual(kept.map(([byte]) => byte), [1, 2]);
});

test('what the ring has no room for waits, and the end behind it', () => {
	const { stream, told, far, sent } = open();
	far.handlers.onopen(ADDRESSES);
	const bytes = Uint8Array.from({ length: OUT_BYTES + 1000 }, (_, i) => i * 7);
	const given = bytes.slice();
	stream.write(given);
	stream.closeWrite();
	given.fill(0);
	assert.equal(stream.queued, 1000);
	assert.ok(!far.calls.includes('closeWrite'));
	far.handlers.onwritten(OUT_BYTES);
	assert.equal(stream.due, true);
	stream.look();
	assert.deepEqual([stream.queued, far.calls.at(-1)], [0, 'closeWrite']);
	assert.ok(sent().equals(Buffer.from(bytes)));
	assert.deepEqual(told.at(-1)?.[0], 'written');
	stream.write(Uint8Array.of(1));
	assert.equal(stream.queued, 0);
	assert.equal(sent().length, bytes.length);
});

test('a FIN is told once, and close() ends it well', () => {
	const { stream, told, far } = open();
	far.handlers.onopen(ADDRESSES);
	far.handlers.oneof();
	stream.look();
	stream.look();
	assert.deepEqual(told, [['open'], ['eof']]);
	stream.close();
	assert.deepEqual(told.at(-1), ['close', CODES.ok, '']);
	assert.deepEqual([stream.over, stream.due, far.calls.at(-1)], [true, false, 'close']);
	stream.look();
	stream.close();
	stream.reset();
	assert.equal(told.length, 3);
});

test('an end with a reason stands behind the bytes', () => {
	const { stream, told, far } = open();
	far.handlers.onopen(ADDRESSES);
	far.handlers.ondata(new Uint8Array(2));
	far.end(CODES.reset, 'gone');
	stream.look();
	assert.deepEqual(told, [['open'], ['data', 2], ['close', CODES.reset, 'gone']]);
	assert.equal(stream.over, true);
});

test('a connection that fails tells its end and no open', () => {
	const { stream, told, far } = open();
	far.end(CODES.refused, 'no');
	assert.equal(stream.due, true);
	stream.look();
	assert.deepEqual(told, [['close', CODES.refused, 'no']]);
});

test('a reset leaves the ring', () => {
	const { stream, far } = open();
	far.handlers.onopen(ADDRESSES);
	stream.reset();
	assert.match(far.calls.at(-1) ?? '', /^reset/);
	assert.equal(stream.over, true);
});
