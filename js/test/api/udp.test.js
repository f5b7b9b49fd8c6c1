import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SocketError } from '../../src/api/errors.js';
import { udpOf } from '../../src/api/udp.js';
import { encode } from '../../src/tunnel/datagrams.js';
import * as CODES from '../../src/wire/generated/code.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeTunnel } from '../fakes/tunnel.js';

const BOUND = { addr: '0.0.0.0', port: 4000 };
const PEER = { host: '192.0.2.1', port: 9 };

/** @param {any} options */
async function make(options) {
	const tunnel = new FakeTunnel();
	const socket = await udpOf(/** @type {any} */ ({ tunnel, defaults: () => ({ timeoutMs: 2000 }), SocketError }))(options);
	return { socket, tunnel, stream: tunnel.streams[0] };
}

/** @param {any} options @param {any} [remote] */
async function opened(options, remote = null) {
	const it = await make(options);
	it.stream.handlers.onopen({ bound: BOUND, remote });
	const { readable, writable, ...info } = await it.socket.opened;
	return { ...it, info, reader: readable.getReader(), writer: writable.getWriter() };
}

/** What was written of a stream, as text. @param {any} stream */
const written = (stream) => Buffer.concat(stream.written).toString('latin1');

describe('the request', () => {
	for (const [options, want] of /** @type {[any, any][]} */ ([
		[{ remoteAddress: 'a.test', remotePort: 53, dnsQueryType: 'ipv4' }, { kind: KIND.udp, host: 'a.test', port: 53, family: 4 }],
		[{ localAddress: '0.0.0.0' }, { kind: KIND.udp, host: '', port: 0, family: 4 }],
		[{ localAddress: '::' }, { kind: KIND.udp, host: '', port: 0, family: undefined }],
		[{ localAddress: '::', ipv6Only: true }, { kind: KIND.udp, host: '', port: 0, family: 6 }],
		[{ localAddress: '0.0.0.0', localPort: 5353 }, { kind: KIND.udp_bound, host: '0.0.0.0', port: 5353, family: 4 }],
		[{ localAddress: '127.0.0.1' }, { kind: KIND.udp_bound, host: '127.0.0.1', port: 0, family: undefined }],
		[{ localAddress: '::1', localPort: 7 }, { kind: KIND.udp_bound, host: '::1', port: 7, family: undefined }],
	])) {
		test(JSON.stringify(options), async () => {
			const { kind, host, port, family } = (await make(options)).stream.request;
			assert.deepEqual({ kind, host, port, family }, want);
		});
	}

	test('what is no socket rejects', async () => {
		for (const options of [
			undefined, {}, { remoteAddress: 'a' }, { remotePort: 5 }, { remoteAddress: 'a', remotePort: 0 }, { remoteAddress: 'a', remotePort: 1, localAddress: '::' },
			{ remoteAddress: 'a', remotePort: 1, dnsQueryType: 'a' }, { localAddress: 'localhost' }, { localAddress: '::', localPort: 65536 }, { localAddress: '::', localPort: 1.5 },
		]) await assert.rejects(make(options), TypeError, JSON.stringify(options));
	});
});

describe('a connected socket', () => {
	const options = { remoteAddress: PEER.host, remotePort: PEER.port };

	test('carries datagrams with their boundaries', async () => {
		const { info, stream, reader, writer } = await opened(options, { addr: PEER.host, port: PEER.port });
		assert.deepEqual(info, { localAddress: '0.0.0.0', localPort: 4000, remoteAddress: PEER.host, remotePort: PEER.port });
		await writer.write({ data: new Uint8Array([65, 66]) });
		await writer.write({ data: new Uint8Array([67]).buffer });
		await writer.write({ data: new DataView(new Uint8Array([1, 68, 1]).buffer, 1, 1) });
		assert.equal(written(stream), '\0\x02\0AB\0\x01\0C\0\x01\0D');
		stream.handlers.ondata(new Uint8Array(Buffer.concat([encode(null, new Uint8Array([1])), encode(null, new Uint8Array(0))])));
		assert.deepEqual(await reader.read(), { done: false, value: { data: new Uint8Array([1]) } });
		assert.equal((await reader.read()).value?.data.length, 0);
	});

	test('many messages of one task leave in two writes', async () => {
		const { stream, writer } = await opened(options);
		const all = Array.from({ length: 10 }, (_, i) => writer.write({ data: new Uint8Array([65 + i]) }));
		await Promise.all(all);
		assert.equal(stream.written.length, 2);
		assert.equal(written(stream), [...'ABCDEFGHIJ'].map((letter) => `\0\x01\0${letter}`).join(''));
	});

	for (const [how, last] of /** @type {[string, (writer: any) => Promise<any>][]} */ ([
		['close()', (writer) => writer.close()],
		['a message that is none', (writer) => assert.rejects(writer.write({}), TypeError)],
		['abort()', async (writer) => {
			await writer.ready;
			await writer.abort();
		}],
	])) {
		test(`what was written before ${how} is sent`, async () => {
			const { stream, writer } = await opened(options);
			for (const letter of 'ABC') void writer.write({ data: Buffer.from(letter) });
			await last(writer);
			assert.equal(written(stream), '\0\x01\0A\0\x01\0B\0\x01\0C');
		});
	}

	test('refuses messages that are none', async () => {
		for (const message of [null, {}, { data: 'text' }, { data: new Uint8Array(65508) }, { data: new Uint8Array(1), remotePort: 5 }]) {
			const { writer } = await opened(options);
			await assert.rejects(writer.write(/** @type {any} */ (message)), TypeError);
		}
	});

	test('tells what the network says, and goes on', async () => {
		/** @type {any[]} */
		const errors = [];
		const { stream, writer } = await opened({ ...options, onerror: (/** @type {any} */ error) => errors.push(error) });
		stream.handlers.ondata(Uint8Array.from([0, 2, 255, 0, CODES.refused, 0, 104, 105]));
		assert.deepEqual([errors.length, errors[0].cause?.code], [1, 'refused']);
		await writer.write({ data: new Uint8Array(1) });
	});
});

describe('a socket that is not connected', () => {
	test('has an address with each message', async () => {
		const { info, stream, reader, writer } = await opened({ localAddress: '0.0.0.0' });
		assert.deepEqual(info, { localAddress: '0.0.0.0', localPort: 4000 });
		await writer.write({ data: new Uint8Array([65]), remoteAddress: PEER.host, remotePort: PEER.port });
		assert.equal(written(stream), '\0\x01\x04\xc0\0\x02\x01\0\tA');
		stream.handlers.ondata(encode(PEER, new Uint8Array([2])));
		assert.deepEqual((await reader.read()).value, { data: new Uint8Array([2]), remoteAddress: PEER.host, remotePort: PEER.port });
		await assert.rejects(writer.write({ data: new Uint8Array(1) }), TypeError);
	});
});

describe('the end', () => {
	test('a refusal rejects opened and closed', async () => {
		const { socket, stream } = await make({ remoteAddress: 'a', remotePort: 1 });
		stream.end(CODES.denied);
		await assert.rejects(socket.opened, { name: 'NotAllowedError' });
		await assert.rejects(socket.closed, { name: 'NotAllowedError' });
		await assert.rejects(socket.close(), { name: 'InvalidStateError' });
	});

	test('a lost session is the error of both streams', async () => {
		const { socket, stream, reader, writer } = await opened({ localAddress: '::' });
		const read = reader.read();
		stream.end(CODES.session_lost);
		await assert.rejects(read);
		await assert.rejects(writer.write({ data: new Uint8Array(1), remoteAddress: 'a', remotePort: 1 }));
		await assert.rejects(socket.closed);
	});

	test('close() wants streams without readers, and closes', async () => {
		const { socket, stream, reader, writer } = await opened({ localAddress: '::' });
		await assert.rejects(socket.close(), { name: 'InvalidStateError' });
		reader.releaseLock();
		writer.releaseLock();
		const closing = socket.close();
		assert.equal(stream.calls.at(-1), 'close');
		stream.end(CODES.ok);
		await closing;
		await socket.closed;
	});

	test('a socket whose streams are both done closes', async () => {
		const { stream, reader, writer } = await opened({ localAddress: '::' });
		await reader.cancel();
		assert.notEqual(stream.calls.at(-1), 'close');
		await writer.close();
		assert.equal(stream.calls.at(-1), 'close');
	});
});
