// What R calls, over the rings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../../src/blocking/bridge.js';
import { OUT_BYTES } from '../../../src/blocking/layout.js';
import { RingConnector } from '../../../src/blocking/ring.js';
import { targetOf, WebSockets } from '../../../src/webr/websockets/websockets.js';
import * as CODES from '../../../src/wire/generated/code.js';
import * as KIND from '../../../src/wire/generated/kind.js';
import { FakeTunnel } from '../../fakes/tunnel.js';

const HOW = { protocols: ['a'], names: ['Authorization'], values: ['Bearer é'], maxBytes: 100 };
const ADDRESSES = { bound: { addr: '127.0.0.1', port: 1 }, remote: { addr: '127.0.0.1', port: 2 } };

/** @param {(connector: RingConnector) => void} [waits]  called for each wait */
function make(waits = () => assert.fail('it waits')) {
	const tunnel = new FakeTunnel();
	const bridge = new Bridge(/** @type {any} */ (new EventTarget()), { open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: () => {} });
	const connector = new RingConnector((message) => bridge.receive(message), () => {});
	connector.hello('');
	connector.nap = () => (waits(connector), true);
	/** @type {Record<string, Uint8Array>} */
	const files = {};
	const sockets = new WebSockets(connector, (path) => files[path]);
	const send = (/** @type {number} */ id) => {
		sockets.send(id, 'message', false);
		while (sockets.sending(id));
	};
	/** The names and values of the next event. @param {number[]} ids */
	const take = (...ids) => {
		const event = sockets.take(ids);
		return event && Object.fromEntries(event.names.map((name, i) => [name, event.values[i]]));
	};
	return { sockets, streams: tunnel.streams, files, take, send };
}

/** An open WebSocket, whose open event was taken. @param {ReturnType<typeof make>} made */
function opened({ sockets, streams, take }, how = HOW) {
	const id = sockets.open('ws://h/', how);
	const stream = streams[streams.length - 1];
	stream.handlers.onopen(ADDRESSES);
	stream.handlers.ondata(Uint8Array.of(0));
	assert.deepEqual(take(id), { id, event: 'open', protocol: '' });
	return { id, stream };
}

/** A record. @param {number} kind @param {string | Uint8Array} payload */
function record(kind, payload) {
	const bytes = Buffer.from(/** @type {any} */ (payload));
	return Buffer.concat([Buffer.from([kind, 0, 0, 0, bytes.length]), bytes]);
}

test('URLs', () => {
	assert.deepEqual(targetOf('ws://h'), { host: 'h', port: 80, secure: false, resource: '/' });
	assert.deepEqual(targetOf('wss://[::1]/x?y=z#part'), { host: '::1', port: 443, secure: true, resource: '/x?y=z' });
	assert.deepEqual(targetOf('wss://h:1/'), { host: 'h', port: 1, secure: true, resource: '/' });
	for (const url of ['http://h/', 'ws://h:99999/', 'ws://', 'ws://[::1/', '']) assert.equal(targetOf(url), null, url);
	const { sockets } = make();
	assert.deepEqual([sockets.valid('ws://h'), sockets.valid('ws://')], [true, false]);
	assert.throws(() => sockets.open('ws://', HOW), /no URL/);
});

test('the handshake has the header fields', () => {
	const { sockets, streams } = make();
	sockets.open('wss://h:1/x', HOW);
	const [{ request, written }] = streams;
	assert.deepEqual([request.kind, request.host, request.port, request.timeoutMs], [KIND.websocket, 'h', 1, 5000]);
	const fields = Buffer.concat([Buffer.from([13]), Buffer.from('Authorization'), Buffer.from([0, 9]), Buffer.from('Bearer é')]);
	const body = Buffer.concat([Buffer.from([3, 0, 2]), Buffer.from('/x'), Buffer.from([0, fields.length]), fields, Buffer.from([1]), Buffer.from('a')]);
	assert.deepEqual(Buffer.concat(written), Buffer.concat([Buffer.from([0, body.length]), body]));
});

test('events come one by one, and nothing is due behind them', () => {
	const made = make();
	const { sockets, take } = made;
	const { id, stream } = opened(made);
	assert.equal(sockets.due, false);
	stream.handlers.ondata(Buffer.concat([record(0x81, 'é'), record(0x82, Uint8Array.of(0, 1)), record(0x81, '')]));
	assert.equal(sockets.due, true);
	assert.deepEqual(take(id), { id, event: 'message', data: 'é' });
	assert.deepEqual(take(id), { id, event: 'message', data: Uint8Array.of(0, 1) });
	assert.deepEqual(take(id), { id, event: 'message', data: '' });
	assert.equal(take(id), undefined);
	stream.handlers.ondata(record(0x88, Uint8Array.of(0x0f, 0xa0, 0x6f, 0x6b)));
	stream.handlers.oneof();
	assert.deepEqual(take(id), { id, event: 'close', code: 4000, reason: 'ok' });
	assert.deepEqual([take(id), sockets.due], [undefined, false]);
	sockets.close(id, 1000, '');
	sockets.send(id, 'none', true);
});

test('the first of those asked has its turn', () => {
	const made = make();
	const one = opened(made);
	const two = opened(made);
	for (const { stream } of [one, two]) stream.handlers.ondata(record(0x81, 'x'));
	assert.equal(made.take(two.id, one.id)?.id, two.id);
	assert.equal(made.take(two.id, one.id)?.id, one.id);
});

test('a message that is too long: 1009 to the target, 1006 to R, and what comes is dropped', () => {
	const made = make();
	const { id, stream } = opened(made);
	stream.handlers.ondata(record(0x01, 'x'.repeat(60)));
	stream.handlers.ondata(Buffer.from([0x80, 0, 0, 0, 41]));
	assert.deepEqual(made.take(id), { id, event: 'close', code: 1006, reason: '' });
	const sent = Buffer.concat(stream.written);
	assert.deepEqual(sent.subarray(-2 - 'A message was too large'.length), Buffer.concat([Buffer.from([0x03, 0xf1]), Buffer.from('A message was too large')]));
	assert.equal(stream.calls.at(-1), 'close');
	assert.deepEqual([made.take(id), made.sockets.due], [undefined, false]);
});

test('messages behind the own close are delivered', () => {
	const made = make();
	const { id, stream } = opened(made);
	made.sockets.close(id, 4001, 'ü');
	assert.deepEqual(Buffer.concat(stream.written).subarray(-9), Buffer.concat([Buffer.from([0x88, 0, 0, 0, 4, 0x0f, 0xa1]), Buffer.from('ü')]));
	assert.equal(stream.calls.at(-1), 'closeWrite');
	stream.handlers.ondata(record(0x81, 'late'));
	assert.deepEqual(made.take(id), { id, event: 'message', data: 'late' });
});

test('R waits until the ring has the message, and takes in what comes meanwhile', () => {
	let waits = 0;
	/** @type {ReturnType<typeof make>} */
	const made = make(() => {
		waits++;
		made.streams[0].handlers.ondata(record(0x81, `echo ${waits}`));
		made.streams[0].handlers.onwritten(100_000);
	});
	const socket = opened(made);
	made.files.message = new Uint8Array(OUT_BYTES + 150_000);
	made.send(socket.id);
	assert.equal(waits, 2);
	assert.equal(made.take(socket.id)?.data, 'echo 1');
	assert.equal(made.take(socket.id)?.data, 'echo 2');
});

test('a connection that is lost while R sends ends the wait', () => {
	/** @type {ReturnType<typeof make>} */
	const made = make(() => made.streams[0].end(CODES.reset, 'gone'));
	const socket = opened(made);
	made.files.message = new Uint8Array(OUT_BYTES + 1);
	made.send(socket.id);
	assert.deepEqual(made.take(socket.id), { id: socket.id, event: 'close', code: 1006, reason: '' });
});

test('nap() ends at once where something is due', () => {
	let waits = 0;
	const made = make(() => void waits++);
	const { stream } = opened(made);
	made.sockets.nap(1000);
	stream.handlers.ondata(record(0x81, 'x'));
	made.sockets.nap(1000);
	assert.equal(waits, 1);
});
