import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SocketError } from '../../src/api/errors.js';
import { tcpSocketOf } from '../../src/api/tcpsocket.js';
import * as CODES from '../../src/wire/generated/code.js';
import { FakeTunnel, settled } from '../fakes/tunnel.js';

/** @param {unknown[]} args */
function make(...args) {
	const tunnel = new FakeTunnel();
	const TCPSocket = /** @type {any} */ (tcpSocketOf(tunnel, () => ({ timeoutMs: 2000, optimistic: false })));
	const socket = new TCPSocket(...args);
	return { socket, stream: tunnel.streams[0] };
}

test('options become those of the request', () => {
	const { stream } = make('2001:db8::7', 443, { keepAliveDelay: 5000, dnsQueryType: 'ipv6', sendBufferSize: 1, receiveBufferSize: 1 });
	assert.deepEqual({ ...stream.request }, {
		host: '2001:db8::7', port: 443, family: 6, timeoutMs: 2000, optimistic: false, window: 1024 * 1024,
		socketOptions: { noDelay: false, keepAlive: true, keepIdle: 5 },
	});
	assert.equal(make('h', 1, null).stream.request.socketOptions.noDelay, false);
	assert.deepEqual(make('h', 1, { noDelay: true }).stream.request.socketOptions, { noDelay: true, keepAlive: undefined });
});

test('what is no option or no target throws', () => {
	assert.throws(() => make('h', 1, { keepAliveDelay: 999 }), TypeError);
	assert.throws(() => make('h', 1, { dnsQueryType: 'a' }), TypeError);
	assert.throws(() => make('', 1), TypeError);
	for (const port of [0, 65536, -1, 1.5, 'x', undefined]) assert.throws(() => make('h', port), TypeError);
});

test('opened has the streams and both addresses in parts', async () => {
	const { socket, stream } = make('h', 1);
	stream.handlers.onopen({ bound: { addr: '10.0.0.1', port: 5 }, remote: { addr: '10.0.0.2', port: 1 } });
	const { readable, writable, ...addresses } = await socket.opened;
	assert.deepEqual(addresses, { remoteAddress: '10.0.0.2', remotePort: 1, localAddress: '10.0.0.1', localPort: 5 });
	const writer = writable.getWriter();
	await writer.write(new Uint8Array([65]));
	assert.equal(stream.text, 'A');
	stream.handlers.ondata(new Uint8Array([66, 67]));
	const reader = readable.getReader({ mode: 'byob' });
	assert.deepEqual([...(await reader.read(new Uint8Array(1))).value], [66]);
	await assert.rejects(socket.close(), { name: 'InvalidStateError' }, 'the streams are locked');
	reader.releaseLock();
	writer.releaseLock();
	const closing = socket.close();
	stream.end(CODES.ok);
	await closing;
	await socket.closed;
});

test('writable takes bytes only', async () => {
	const { socket, stream } = make('h', 1);
	stream.open();
	const { writable } = await socket.opened;
	const writer = writable.getWriter();
	await writer.write(new Uint8Array([65]).buffer);
	await assert.rejects(writer.write('text'), (error) => error instanceof TypeError && error.message === '"text" cannot be written to a socket');
	assert.deepEqual([stream.text, stream.calls.at(-1)], ['A', 'reset']);
});

test('a socket that is not open cannot be closed', async () => {
	const { socket } = make('h', 1);
	await assert.rejects(socket.close(), { name: 'InvalidStateError' });
});

test('failures are the exceptions of Direct Sockets, with the reason as their cause', async () => {
	for (const [code, name] of /** @type {const} */ ([[CODES.refused, 'NetworkError'], [CODES.name_not_found, 'NetworkError'], [CODES.denied, 'NotAllowedError']])) {
		const { socket, stream } = make('h', 1);
		stream.end(code, 'why');
		for (const promise of [socket.opened, socket.closed]) {
			await assert.rejects(promise, (/** @type {any} */ error) => error instanceof DOMException && error.name === name && error.cause instanceof SocketError);
		}
	}
	await settled();
});
