import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SocketError } from '../../src/api/errors.js';
import { Socket } from '../../src/api/socket.js';
import { Sockmux } from '../../src/api/sockmux.js';
import { tcpSocketOf } from '../../src/api/tcpsocket.js';
import direct from '../../src/entry/part/direct.js';
import * as CODES from '../../src/wire/generated/code.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeTunnel, settled, Tasks } from '../fakes/tunnel.js';

/** @type {{ hex: string, number: number, remote: string, why?: string }[]} */
const vectors = JSON.parse(await readFile(new URL('../../../shared/incoming/testdata/records.json', import.meta.url), 'utf8'));
const [one, two] = vectors.filter(({ why, remote }) => !why && !remote.startsWith('[')).map(({ hex, ...rest }) => ({ ...rest, record: Buffer.from(hex, 'hex') }));
const BOUND = { bound: { addr: '127.0.0.1', port: 8000 }, remote: null };

function make() {
	const tunnel = new FakeTunnel();
	const defaults = { timeoutMs: 2000, optimistic: false };
	const TCPSocket = tcpSocketOf(tunnel, () => defaults);
	return { tunnel, TCPSocket, ...direct({ tunnel, defaults, SocketError, Socket, TCPSocket }) };
}

/** A listener that is open. @param {any} [options] */
async function listening(options) {
	const { tunnel, listen } = make();
	const promise = listen('localhost', 8000, options);
	await settled();
	const [stream] = tunnel.streams;
	stream.handlers.onopen(BOUND);
	return { tunnel, stream, server: await promise };
}

test('a request has the address, the backlog and nothing that the page did not say', async () => {
	for (const [args, request, backlog] of /** @type {[any, object, number][]} */ ([
		[['127.0.0.1', 8000], { host: '127.0.0.1', port: 8000, family: undefined }, 128],
		[['', 0, { family: 4, backlog: 258 }], { host: '0.0.0.0', port: 0, family: 4 }, 258],
		[['', 1], { host: '::', port: 1, family: undefined }, 128],
		[['localhost', 1, { family: 6 }], { host: '::1', port: 1, family: 6 }, 128],
		[['[::1]', 65535], { host: '::1', port: 65535, family: undefined }, 128],
	])) {
		const { tunnel, listen } = make();
		void /** @type {any} */ (listen)(...args);
		await settled();
		const [stream] = tunnel.streams;
		assert.deepEqual({ ...stream.request }, { ...request, kind: KIND.listen, timeoutMs: 2000, window: 4096 });
		assert.deepEqual(stream.written.map((bytes) => Buffer.from(bytes).readUInt32BE()), [backlog]);
	}
});

test('what is no address, no port or no option rejects and opens nothing', async () => {
	const { tunnel, listen, server } = make();
	for (const args of [['db.example', 1], ['127.1', 1], ['010.0.0.1', 1], [5, 1], [undefined, 1], ['localhost', 65536], ['localhost', -1], ['localhost', '80'], ['localhost', 1.5], ['127.0.0.1', 1, { family: 6 }], ['::1', 1, { family: 4 }]]) {
		await assert.rejects(/** @type {any} */ (listen)(...args), (error) => error instanceof SocketError && error.code === 'invalid_request', `${args[0]} ${args[1]}`);
	}
	for (const options of [{ family: 5 }, { backlog: -1 }, { backlog: 2 ** 32 }, { backlog: 'x' }, { signal: {} }]) {
		await assert.rejects(/** @type {any} */ (listen)('localhost', 1, options), (error) => error instanceof TypeError && !(error instanceof SocketError));
	}
	await assert.rejects(server('127.0.0.1', { ipv6Only: true }), TypeError);
	await assert.rejects(server(undefined, {}), TypeError);
	assert.equal(tunnel.streams.length, 0);
});

test('connections are accepted as they are read, and a record makes room for the next', async () => {
	const { tunnel, stream, server } = await listening();
	assert.deepEqual([server.localAddress, server.bound], ['127.0.0.1:8000', BOUND.bound]);
	stream.handlers.ondata(Uint8Array.from([...one.record, ...two.record.subarray(0, 3)]));
	assert.equal(tunnel.streams.length, 1, 'what is not read waits at the server');
	const reader = server.readable.getReader();
	const first = /** @type {Socket} */ ((await reader.read()).value);
	const pending = reader.read();
	stream.handlers.ondata(Uint8Array.from(two.record.subarray(3)));
	await pending;
	assert.deepEqual(tunnel.streams.slice(1).map(({ request }) => [request.kind, request.host, request.port]), [[KIND.accept, '', one.number], [KIND.accept, '', two.number]]);
	assert.deepEqual(stream.calls, [one, two].map(({ record }) => `grant ${record.length}`));
	tunnel.streams[1].end(CODES.aborted, 'it has gone');
	await assert.rejects(first.opened, (/** @type {any} */ error) => error.code === 'aborted' && error.message === `${one.remote}: aborted: it has gone`);
});

test('close() ends a pending read and the listener, and connections go on', async () => {
	const { tunnel, stream, server } = await listening();
	stream.handlers.ondata(Uint8Array.from(one.record));
	const reader = server.readable.getReader();
	const { value } = await reader.read();
	const pending = reader.read();
	const closed = server.close();
	assert.deepEqual(await pending, { done: true, value: undefined });
	assert.equal(stream.calls.at(-1), 'close');
	stream.handlers.ondata(Uint8Array.from(two.record));
	stream.end(CODES.ok);
	await closed;
	await server.close();
	tunnel.streams[1].open();
	await /** @type {Socket} */ (value).opened;
	assert.equal(tunnel.streams.length, 2);
});

test('leaving a loop over the connections ends the listener', async () => {
	const { stream, server } = await listening();
	stream.handlers.ondata(Uint8Array.from(one.record));
	for await (const socket of server.readable) {
		assert.ok(socket instanceof Socket);
		break;
	}
	assert.equal(stream.calls.at(-1), 'close');
	stream.end(CODES.ok);
	await server.closed;
});

test('a refusal rejects, and a lost listener fails what waits', async () => {
	const { tunnel, listen } = make();
	const refused = listen('localhost', 80);
	await settled();
	tunnel.streams[0].end(CODES.denied, 'port 80');
	await assert.rejects(refused, (/** @type {any} */ error) => error instanceof SocketError && error.message === '127.0.0.1:80: denied: port 80');
	for (const end of /** @type {((stream: import('../fakes/tunnel.js').FakeStream) => void)[]} */ ([(stream) => stream.end(CODES.session_lost), (stream) => {
		stream.handlers.oneof();
		assert.equal(stream.calls.at(-1), 'reset');
		stream.end(CODES.aborted);
	}])) {
		const { stream, server } = await listening();
		const pending = server.readable.getReader().read();
		end(stream);
		for (const promise of [pending, server.closed]) await assert.rejects(promise, SocketError);
	}
});

test('a signal ends the listener with its reason', async () => {
	const controller = new AbortController();
	const { stream, server } = await listening({ signal: controller.signal });
	const pending = server.readable.getReader().read();
	controller.abort(new Error('enough'));
	assert.equal(stream.calls.at(-1), 'reset');
	stream.end(CODES.aborted);
	for (const promise of [pending, server.closed]) await assert.rejects(promise, /enough/);
	await assert.rejects(make().listen('localhost', 1, { signal: controller.signal }), /enough/);
});

test('TCPServerSocket gives TCPSockets', async () => {
	const { tunnel, server, TCPSocket } = make();
	const socket = await server('127.0.0.1', { localPort: 8000, backlog: 5 });
	await assert.rejects(socket.close(), { name: 'InvalidStateError' });
	const [stream] = tunnel.streams;
	stream.handlers.onopen(BOUND);
	const { readable, ...addresses } = await socket.opened;
	assert.deepEqual(addresses, { localAddress: '127.0.0.1', localPort: 8000 });
	stream.handlers.ondata(Uint8Array.from(one.record));
	const reader = readable.getReader();
	const { value } = await reader.read();
	assert.ok(value instanceof TCPSocket);
	tunnel.streams[1].handlers.onopen({ bound: BOUND.bound, remote: { addr: '192.0.2.7', port: 5 } });
	const info = await value.opened;
	assert.deepEqual([info.remoteAddress, info.remotePort, info.localPort], ['192.0.2.7', 5, 8000]);
	await assert.rejects(socket.close(), { name: 'InvalidStateError' }, 'the readable is locked');
	reader.releaseLock();
	const closing = socket.close();
	stream.end(CODES.ok);
	await closing;
	for (const [code, name] of /** @type {const} */ ([[CODES.address_in_use, 'NetworkError'], [CODES.denied, 'NotAllowedError']])) {
		const other = await server('::', { ipv6Only: true });
		tunnel.streams.at(-1)?.end(code);
		for (const promise of [other.opened, other.closed]) await assert.rejects(promise, (/** @type {any} */ error) => error instanceof DOMException && error.name === name && error.cause instanceof SocketError);
	}
});

test('the object sockmux loads the part when it is first used', async () => {
	/** @type {string[]} */
	const parts = [];
	const sockmux = new Sockmux({
		scope: { WebSocket: class {} }, version: '1', schedule: new Tasks().schedule, start: () => new Promise(() => {}),
		config: /** @type {any} */ ({ url: 'ws://h/', load: 'lazy', match: 'none', optimistic: false, part: async (/** @type {string} */ name) => {
			parts.push(name);
			return direct;
		} }),
	});
	assert.equal(sockmux.TCPServerSocket, sockmux.TCPServerSocket);
	assert.deepEqual(parts, []);
	await assert.rejects(sockmux.listen('nowhere', 1), { code: 'invalid_request' });
	await assert.rejects(new sockmux.TCPServerSocket('nowhere').opened, { code: 'invalid_request' });
	assert.deepEqual(parts, ['direct', 'direct']);
	sockmux.uninstall();
});
