import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as CODES from '../../src/wire/generated/code.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { Datagrams, Decoder, MAX_PAYLOAD, encode } from '../../src/tunnel/datagrams.js';

/** @type {{ valid: { hex: string, name?: string, addr?: string, port?: number, code?: number, payload: string }[], invalid: { hex: string, why: string }[] }} */
const vectors = JSON.parse(readFileSync(new URL('../../../shared/datagram/testdata/vectors.json', import.meta.url), 'utf8'));

/** @param {string} hex */
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
/** @param {Uint8Array} bytes */
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * @param {Uint8Array} bytes
 * @param {number} size  of the pieces
 */
function decodeAll(bytes, size) {
	const decoder = new Decoder();
	/** @type {any[]} */
	const all = [];
	for (let at = 0; at < bytes.length; at += size) decoder.decode(bytes.subarray(at, at + size), (record) => all.push(record));
	return all;
}

describe('records', () => {
	for (const { hex, name, addr, port = 0, code = 0, payload } of vectors.valid) {
		test(hex.slice(0, 40), () => {
			const host = name ?? addr;
			const peer = host === undefined ? null : { host, port };
			if (code === 0) assert.equal(hexOf(encode(peer, bytesOf(payload))), hex);
			for (const size of [1, 3, 1000]) {
				const [record, ...more] = decodeAll(bytesOf(hex), size);
				assert.deepEqual(more, []);
				assert.deepEqual(record.peer, peer);
				if (code === 0) assert.equal(hexOf(record.bytes), payload);
				else assert.deepEqual([record.code, record.text], [code, new TextDecoder().decode(bytesOf(payload))]);
			}
		});
	}

	for (const { hex, why } of vectors.invalid) {
		test(`refused: ${why}`, () => {
			for (const size of [1, 1000]) assert.throws(() => decodeAll(bytesOf(hex), size));
		});
	}

	test('whatever the pieces', () => {
		const stream = bytesOf(vectors.valid.map(({ hex }) => hex).join(''));
		for (const size of [1, 2, 7, 64, stream.length]) assert.equal(decodeAll(stream, size).length, vectors.valid.length);
	});
});

/** A tunnel whose stream is the test's. */
function world() {
	/** @type {any} */
	const it = { written: 0, writes: [], granted: 0, ended: [], arrived: 0, reports: [], closed: [] };
	const stream = {
		write(/** @type {Uint8Array} */ bytes) {
			it.writes.push(bytes);
			it.written += bytes.length;
		},
		grant: (/** @type {number} */ bytes) => void (it.granted += bytes),
		close: () => void it.ended.push('close'),
		reset: (/** @type {number} */ code) => void it.ended.push(code),
	};
	it.socket = new Datagrams((/** @type {any} */ request, /** @type {any} */ handlers) => {
		Object.assign(it, { request, handlers });
		return stream;
	}, { host: '', port: 0 }, {
		onarrival: () => void it.arrived++,
		onreport: (report) => void it.reports.push(report),
		onclose: (why) => void it.closed.push(why.code),
	});
	return it;
}

describe('a socket', () => {
	test('asks for a stream of the kind udp, without a host', () => {
		const { request } = world();
		assert.deepEqual([request.kind, request.host, request.port], [KIND.udp, '', 0]);
	});

	test('drops what the line does not take, and sends again when it has', () => {
		const it = world();
		const payload = new Uint8Array(MAX_PAYLOAD);
		let sent = 0;
		while (it.socket.send({ host: '192.0.2.1', port: 9 }, payload)) sent++;
		assert.deepEqual([sent, it.socket.dropped], [4, 1]);
		assert.equal(it.socket.send({ host: '192.0.2.1', port: 9 }, new Uint8Array(10)), true);
		it.handlers.onwritten(it.written);
		assert.equal(it.socket.send({ host: '192.0.2.1', port: 9 }, payload), true);
	});

	test('sends what waits for more in one write', () => {
		const it = world();
		const records = [1, 2, 3].map((size) => encode(null, new Uint8Array(size)));
		it.socket.send(null, new Uint8Array(1), true);
		it.socket.send(null, new Uint8Array(2), true);
		assert.equal(it.writes.length, 0);
		it.socket.send(null, new Uint8Array(3));
		assert.deepEqual(it.writes.map(hexOf), [records.map(hexOf).join('')]);
		for (const leave of ['flush', 'close']) {
			it.socket.send(null, new Uint8Array(1), true);
			it.socket[leave]();
			it.socket[leave]();
			assert.equal(hexOf(it.writes.at(-1)), hexOf(records[0]));
		}
		assert.equal(it.writes.length, 3);
	});

	test('a datagram that is dropped sends those before it', () => {
		const it = world();
		const payload = new Uint8Array(MAX_PAYLOAD);
		while (it.socket.send(null, payload, true));
		assert.equal(it.writes.length, 0);
		assert.equal(it.socket.send(null, payload), false);
		assert.deepEqual([it.writes.length, it.written], [1, 4 * encode(null, payload).length]);
	});

	test('grants what was taken, not what waits', () => {
		const it = world();
		const record = encode(null, new Uint8Array(60_000));
		for (let i = 0; i < 3; i++) it.handlers.ondata(record.slice());
		assert.deepEqual([it.arrived, it.granted], [3, 0]);
		assert.equal(it.socket.next.bytes.length, 60_000);
		it.socket.take();
		it.socket.take();
		assert.equal(it.granted, 2 * record.length);
	});

	test('passes reports on, and resets a stream of something else', () => {
		const it = world();
		it.handlers.ondata(bytesOf(vectors.valid[7].hex));
		assert.deepEqual(it.reports.map((/** @type {any} */ { code }) => code), [CODES.refused]);
		it.handlers.ondata(bytesOf('000009'));
		assert.deepEqual(it.ended, [CODES.protocol]);
	});

	test('ends with its stream', () => {
		const it = world();
		it.handlers.onclose({ code: CODES.idle });
		assert.deepEqual([it.closed, it.socket.alive, it.socket.send(null, new Uint8Array(1))], [[CODES.idle], false, false]);
	});
});
