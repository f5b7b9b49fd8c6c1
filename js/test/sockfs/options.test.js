import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const VALUE = 400;
const LENGTH = 440;
const SOL_SOCKET = 1;
const IP = 0;
const TCP = 6;

function start() {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(false);
	patchOps(emscripten.program, connector);
	const sock = emscripten.socket();
	const { ops, heap } = emscripten;
	/** @param {number} level @param {number} name @param {number[]} words @param {number} [length] */
	const set = (level, name, words, length = words.length * 4) => emscripten.errno(() => {
		heap.set(words, VALUE / 4);
		ops.setsockopt(sock, level, name, VALUE, length);
	});
	/**
	 * The words of an option, or its errno, negative.
	 * @param {number} level
	 * @param {number} name
	 * @param {number} [room]
	 */
	const get = (level, name, room = 32) => {
		heap.fill(0, VALUE / 4, VALUE / 4 + 10);
		heap[LENGTH / 4] = room;
		const errno = emscripten.errno(() => ops.getsockopt(sock, level, name, VALUE, LENGTH));
		return errno ? -errno : [...heap.subarray(VALUE / 4, VALUE / 4 + Math.ceil(heap[LENGTH / 4] / 4))];
	};
	return { emscripten, connector, sock, ops, heap, set, get };
}

describe('options', () => {
	test('have Linux\'s initial values', () => {
		const { get } = start();
		const initial = /** @type {const} */ ([
			[SOL_SOCKET, 2, 0], [SOL_SOCKET, 3, 1], [SOL_SOCKET, 7, 16384], [SOL_SOCKET, 8, 131072], [SOL_SOCKET, 9, 0], [SOL_SOCKET, 18, 1],
			[SOL_SOCKET, 30, 0], [SOL_SOCKET, 38, 6], [SOL_SOCKET, 39, 2], [TCP, 1, 0], [TCP, 4, 7200], [TCP, 5, 75], [TCP, 6, 9], [IP, 2, 64],
		]);
		for (const [level, name, value] of initial) assert.deepEqual(get(level, name), [value], `${level}:${name}`);
		assert.deepEqual(get(SOL_SOCKET, 13), [0, 0]);
		assert.deepEqual(get(SOL_SOCKET, 66), [0, 0, 0, 0]);
	});

	test('are given back as the kernel takes them', () => {
		const { get, set } = start();
		const cases = /** @type {const} */ ([[TCP, 1, 7, 1], [SOL_SOCKET, 2, 5, 1], [SOL_SOCKET, 7, 10000, 20000], [SOL_SOCKET, 7, 1, 4608],
			[SOL_SOCKET, 8, 1, 2304], [SOL_SOCKET, 8, -1, 8388608], [SOL_SOCKET, 18, 0, 1], [TCP, 4, 60, 60], [IP, 2, -1, 64]]);
		for (const [level, name, given, value] of cases) {
			assert.equal(set(level, name, [given]), 0);
			assert.deepEqual(get(level, name), [value], `${level}:${name} ${given}`);
		}
	});

	test('unknown ones, those that are read only and wrong values have their errors', () => {
		const { get, set } = start();
		for (const [level, name] of [[SOL_SOCKET, 999], [TCP, 999], [IP, 999], [99, 1], [SOL_SOCKET, 3], [SOL_SOCKET, 4], [SOL_SOCKET, 30], [TCP, 11]]) {
			assert.equal(set(level, name, [1]), ERRNO.ENOPROTOOPT, `${level}:${name}`);
		}
		assert.equal(get(SOL_SOCKET, 999), -ERRNO.ENOPROTOOPT);
		assert.equal(get(99, 1), -ERRNO.ENOTSUP);
		assert.equal(set(TCP, 1, [1], 2), ERRNO.EINVAL);
		assert.equal(set(SOL_SOCKET, 13, [1]), ERRNO.EINVAL);
		assert.equal(set(SOL_SOCKET, 20, [1]), ERRNO.EINVAL);
		assert.equal(set(TCP, 4, [0]), ERRNO.EINVAL);
		assert.equal(set(IP, 2, [300]), ERRNO.EINVAL);
		assert.equal(set(SOL_SOCKET, 20, [1, 1_000_000]), ERRNO.EDOM);
		assert.equal(get(TCP, 1, -1), -ERRNO.EINVAL);
		assert.equal(set(IP, 1, [8], 1), 0, 'options of IP may be bytes');
	});

	test('a small room gets what there is room for', () => {
		const { get, heap } = start();
		assert.deepEqual(get(SOL_SOCKET, 3, 2), [1]);
		assert.equal(heap[LENGTH / 4], 2);
		assert.deepEqual(get(TCP, 1, 0), []);
	});

	test('times have 32 or 64 bits under both names', () => {
		const { get, set } = start();
		assert.equal(set(SOL_SOCKET, 66, [1, 0, 400_000, 0]), 0);
		assert.deepEqual(get(SOL_SOCKET, 20, 8), [1, 400_000]);
		assert.deepEqual(get(SOL_SOCKET, 66, 16), [1, 0, 400_000, 0]);
		assert.equal(set(SOL_SOCKET, 21, [0, 1500]), 0);
		assert.deepEqual(get(SOL_SOCKET, 67, 16), [0, 0, 1500, 0]);
		assert.equal(set(SOL_SOCKET, 21, [-1, 0]), 0);
		assert.deepEqual(get(SOL_SOCKET, 21, 8), [0, 0]);
	});

	test('a linger keeps its time when it is off', () => {
		const { get, set } = start();
		set(SOL_SOCKET, 13, [7, 5]);
		assert.deepEqual(get(SOL_SOCKET, 13), [1, 5]);
		set(SOL_SOCKET, 13, [0, 9]);
		assert.deepEqual(get(SOL_SOCKET, 13), [0, 5]);
	});

	test('of the server travel with the connection and after it', () => {
		const { emscripten, connector, sock, ops, set } = start();
		set(TCP, 1, [0]);
		set(SOL_SOCKET, 9, [1]);
		set(SOL_SOCKET, 2, [1]);
		emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		const [socket] = connector.sockets;
		assert.deepEqual(socket.target.socketOptions, { noDelay: false, keepAlive: true });
		set(TCP, 4, [60]);
		assert.deepEqual(socket.calls, ['options {"noDelay":false,"keepAlive":true,"keepIdle":60}']);
	});

	test('a linger of no time drops what was sent at close', () => {
		const { emscripten, connector, sock, ops, set } = start();
		set(SOL_SOCKET, 13, [1, 0]);
		emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		ops.close(sock);
		assert.deepEqual(connector.sockets[0].calls, ['reset', 'close']);
	});

	test('SO_ERROR is the pending error, once', () => {
		const { emscripten, connector, sock, ops, get } = start();
		emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED });
		assert.deepEqual([get(SOL_SOCKET, 4), get(SOL_SOCKET, 4)], [[ERRNO.ECONNREFUSED], [0]]);
	});

	test('pointers of 64-bit programs are BigInts', () => {
		const { ops, sock, heap } = start();
		heap[LENGTH / 4] = 4;
		ops.getsockopt(sock, SOL_SOCKET, 3, BigInt(VALUE), BigInt(LENGTH));
		assert.equal(heap[VALUE / 4], 1);
	});
});
