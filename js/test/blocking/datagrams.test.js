// UDP in a worker that blocks: records pass through the rings, and each use of the socket takes in
// what has come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as CODES from '../../src/wire/generated/code.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { Bridge } from '../../src/blocking/bridge.js';
import { IN_BYTES, OUT_BYTES } from '../../src/blocking/layout.js';
import { RingConnector } from '../../src/blocking/ring.js';
import { encode } from '../../src/tunnel/datagrams.js';
import { FakeTunnel } from '../fakes/tunnel.js';

const NONE = { host: '', port: 0 };
const FIRST = { host: '192.0.2.1', port: 53 };

/** @param {{ host: string, port: number }} target */
function open(target) {
	const tunnel = new FakeTunnel();
	/** @type {any[]} */
	const reports = [];
	const bridge = new Bridge(/** @type {any} */ (new EventTarget()), { open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: (what, why) => reports.push([what, why]) });
	const connector = new RingConnector((message) => bridge.receive(message), () => {});
	connector.hello('');
	/** @type {any[]} */
	const told = [];
	const socket = connector.datagrams(target, {
		onopen: ({ bound }) => told.push(['open', bound?.port]),
		onarrival: () => told.push(['arrival']),
		onreport: ({ code }) => told.push(['report', code]),
		onclose: ({ errno }) => told.push(['close', errno]),
	});
	const [stream] = tunnel.streams;
	return { socket, told, stream, reports, bridge, sent: () => Buffer.concat(stream.written) };
}

/** @param {...string} texts */
const arriving = (...texts) => Buffer.concat(texts.map((text) => encode(FIRST, Buffer.from(text))));

test('datagrams go out and come in with their boundaries, one look at a time', () => {
	const { socket, told, stream, sent } = open(NONE);
	assert.deepEqual([stream.request.kind, stream.request.host], [KIND.udp, '']);
	assert.equal(socket.send(FIRST, Buffer.from('query')), true);
	assert.deepEqual(sent(), Buffer.from(encode(FIRST, Buffer.from('query'))));
	stream.handlers.onopen({ bound: { addr: '0.0.0.0', port: 7000 }, remote: null });
	const bytes = arriving('one', '', 'three');
	stream.handlers.ondata(bytes.subarray(0, 4));
	assert.equal(socket.next, null);
	stream.handlers.ondata(bytes.subarray(4));
	assert.deepEqual(['one', '', 'three'].map(() => Buffer.from(/** @type {any} */ (socket.take()).bytes).toString()), ['one', '', 'three']);
	assert.equal(socket.take(), null);
	assert.deepEqual(told, [['open', 7000], ['arrival'], ['arrival'], ['arrival']]);
});

test('what the program does not take stays in the ring', () => {
	const { socket, stream } = open(FIRST);
	const record = encode(null, new Uint8Array(60_000));
	for (let i = 0; i < 10; i++) stream.handlers.ondata(record.slice());
	for (let i = 0; i < 5; i++) assert.ok(socket.next);
	let taken = 0;
	while (socket.take()) taken++;
	assert.equal(taken, 10);
	const granted = stream.calls.reduce((sum, call) => sum + Number(/^grant (\d+)/.exec(call)?.[1] ?? 0), 0);
	assert.ok(granted >= 10 * record.length - IN_BYTES / 4, `${granted}`);
});

test('more than the line takes is dropped, until it has left', () => {
	const { socket, stream, sent } = open(FIRST);
	const datagram = new Uint8Array(60_000);
	while (socket.send(null, datagram));
	assert.equal(socket.dropped, 1);
	assert.ok(sent().length < OUT_BYTES);
	stream.handlers.onwritten(sent().length);
	assert.equal(socket.send(null, datagram), true);
});

test('a report, and the end by the server: each is told once', () => {
	const { socket, told, stream } = open(FIRST);
	stream.handlers.ondata(Uint8Array.from([0, 0, 255, 0, CODES.refused, 0]));
	assert.equal(socket.next, null);
	stream.end(CODES.denied, 'no');
	assert.equal(socket.next, null);
	assert.equal(socket.next, null);
	assert.deepEqual(told.map(([what]) => what), ['report', 'close']);
	assert.deepEqual(told[0], ['report', CODES.refused]);
	assert.equal(socket.alive, false);
});

test('what can never be opened is named as what it is', () => {
	for (const [target, what] of /** @type {const} */ ([[FIRST, 'a UDP socket to 192.0.2.1:53'], [NONE, 'a UDP socket']])) {
		const { stream, reports } = open(target);
		stream.end(CODES.denied, 'no');
		assert.deepEqual(reports, [[what, 'denied: no']]);
	}
});

test('when the page goes, the socket is over', () => {
	const { socket, told, bridge } = open(FIRST);
	bridge.close();
	assert.equal(socket.next, null);
	assert.deepEqual([told.length, told[0][0], socket.alive], [1, 'close', false]);
});
