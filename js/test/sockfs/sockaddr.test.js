import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, writeAddress } from '../../src/sockfs/calls/sockaddr.js';

const AT = 16;

/** @param {number[]} bytes */
function memory(bytes) {
	const heap = new Uint8Array(128);
	heap.set(bytes, AT);
	return heap;
}

const V4 = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
const v6 = (/** @type {number[]} */ address) => [10, 0, 0, 80, 0, 0, 0, 0, ...address, 0, 0, 0, 0];
const LOOPBACK6 = [...Array(15).fill(0), 1];
const MAPPED = [...Array(10).fill(0), 255, 255, 10, 0, 0, 7];

test('an address is read from memory', () => {
	assert.deepEqual(readAddress(memory(V4).buffer, AT, 16), { errno: 0, family: 2, host: '127.0.0.1', port: 8080 });
	assert.deepEqual(readAddress(memory(v6(LOOPBACK6)).buffer, BigInt(AT), 28), { errno: 0, family: 10, host: '::1', port: 80 });
	assert.deepEqual(readAddress(memory(v6(MAPPED)).buffer, AT, 28), { errno: 0, family: 10, host: '10.0.0.7', port: 80 });
});

test('what is no address has the errno of SOCKFS', () => {
	assert.equal(readAddress(memory(V4).buffer, AT, 15).errno, 28);
	assert.equal(readAddress(memory(V4).buffer, AT, 0).errno, 28);
	assert.equal(readAddress(memory([1, 0]).buffer, AT, 16).errno, 5);
});

test('more bytes than an address has are no error, and the scope may be missing', () => {
	assert.equal(readAddress(memory(V4).buffer, AT, 100).host, '127.0.0.1');
	assert.equal(readAddress(memory(v6(LOOPBACK6)).buffer, AT, 24).host, '::1');
});

for (const [family, host, port, bytes] of /** @type {[number, string, number, number[]][]} */ ([
	[2, '127.0.0.1', 8080, V4],
	[10, '::1', 80, v6(LOOPBACK6)],
	[10, '10.0.0.7', 80, v6(MAPPED)],
	[10, '0.0.0.0', 80, v6(Array(16).fill(0))],
	[10, '2001:db8::7', 80, v6([0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7])],
])) {
	test(`${host} is written as one of family ${family}`, () => {
		const heap = new Uint8Array(128).fill(9);
		new DataView(heap.buffer).setInt32(100, 64, true);
		assert.equal(writeAddress(heap.buffer, AT, 100, { family, host, port }), 0);
		assert.deepEqual([...heap.slice(AT, AT + bytes.length)], bytes);
		assert.equal(heap[100], bytes.length);
		if (host !== '0.0.0.0') assert.deepEqual(readAddress(heap.buffer, AT, bytes.length), { errno: 0, family, host, port });
	});
}
