import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passingOver, passingOverAsleep } from '../../src/sockfs/calls/pollset.js';
import { patchSuspendingPoll } from '../../src/sockfs/program/suspending-poll.js';

const AT = 64;
const NVAL = 32;

/** A set in memory, and what Emscripten's poll() says of it: each descriptor has what is asked for. */
function start(/** @type {number[]} */ ...fds) {
	const heap = new Int32Array(64);
	const at = AT / 4;
	fds.forEach((fd, i) => heap.set([fd, (0x55 << 16) | (i + 1)], at + 2 * i));
	const memory = () => heap;
	/** @type {unknown[][]} */
	const seen = [];
	const poll = (/** @type {number} */ set, /** @type {number} */ count, /** @type {number} */ timeout) => {
		seen.push([...heap.slice(set / 4, set / 4 + 2 * count)].filter((_, i) => i % 2 === 0));
		for (let i = 0; i < count; i++) {
			const word = set / 4 + 2 * i + 1;
			heap[word] = (heap[word] & 0xffff) | ((heap[word - 1] < 0 ? NVAL : heap[word] & 0xffff) << 16);
		}
		assert.equal(timeout, 70);
		return count;
	};
	const entries = () => fds.map((_, i) => [heap[at + 2 * i], heap[at + 2 * i + 1] & 0xffff, heap[at + 2 * i + 1] >> 16]);
	return { heap, memory, poll, seen, entries };
}

test('negative descriptors have no events and are not counted', () => {
	const { memory, poll, seen, entries } = start(-1, 5, -7, 6, -2147483648);
	assert.equal(passingOver(memory)(poll)(AT, 5, 70), 2);
	assert.deepEqual(seen, [[5, 6]]);
	assert.deepEqual(entries(), [[-1, 1, 0], [5, 2, 2], [-7, 3, 0], [6, 4, 4], [-2147483648, 5, 0]]);
});

test('a set of nothing but negative ones is polled as an empty one', () => {
	const { memory, poll, seen, entries } = start(-1, -1);
	assert.equal(passingOver(memory)(poll)(AT, 2, 70), 0);
	assert.deepEqual(seen, [[]]);
	assert.deepEqual(entries(), [[-1, 1, 0], [-1, 2, 0]]);
});

test('a set in 64-bit memory has sizes that are BigInts', () => {
	const { memory, poll, entries } = start(-1, 5);
	const wide = (/** @type {bigint} */ set, /** @type {bigint} */ count, /** @type {number} */ timeout) => poll(Number(set), Number(count), timeout);
	assert.equal(passingOver(memory)(wide)(BigInt(AT), 2n, 70), 1);
	assert.deepEqual(entries(), [[-1, 1, 0], [5, 2, 2]]);
});

test('an exception leaves the set as it was', () => {
	const { memory, entries } = start(-1, 5);
	const poll = () => {
		throw new Error('abort');
	};
	assert.throws(() => passingOver(memory)(poll)(AT, 2, 70));
	assert.throws(() => passingOverAsleep(memory, () => true)(poll)(AT, 2, 70));
	assert.deepEqual(entries().map(([fd, events]) => [fd, events]), [[-1, 1], [5, 2]]);
});

test('a closed descriptor is told where poll() says nothing of it', () => {
	const { memory, entries } = start(-1, 5, 6);
	const silent = (/** @type {number} */ set, /** @type {number} */ count) => {
		for (let i = 0; i < count; i++) memory()[set / 4 + 2 * i + 1] &= 0xffff;
		return 0;
	};
	assert.equal(passingOver(memory, (fd) => fd === 6)(silent)(AT, 3), 1);
	assert.deepEqual(entries(), [[-1, 1, 0], [5, 2, NVAL], [6, 3, 0]]);
});

test('a poll() that sleeps by ASYNCIFY has the set until it is called for the result', () => {
	const { memory, poll, seen, entries, heap } = start(-1, 5, 6);
	let calls = 0;
	// The first call begins; the set is looked at in between.
	const sleeping = (/** @type {[number, number, number]} */ ...args) => (calls++ === 0 ? 77 : poll(...args));
	const call = passingOverAsleep(memory, () => true)(sleeping);
	assert.equal(call(AT, 3, 70), 77);
	assert.deepEqual([heap[AT / 4], heap[AT / 4 + 2]], [5, 6]);
	assert.equal(call(AT, 3, 70), 2);
	assert.deepEqual(seen, [[5, 6]]);
	assert.deepEqual(entries(), [[-1, 1, 0], [5, 2, 2], [6, 3, 3]]);
	calls = 0;
	assert.equal(call(AT, 3, 70), 77, 'the next one begins again');
});

/** JSPI in a Node without it: the import is an object of the class, and wasm calls its function. */
function suspendingScope() {
	class Suspending {
		constructor(/** @type {(...args: any[]) => any} */ call) {
			this.call = call;
		}
	}
	class Instance extends WebAssembly.Instance {
		constructor(/** @type {WebAssembly.Module} */ module, /** @type {any} */ { a }) {
			super(module, { a: { ...a, poll: a.poll.call } });
		}
	}
	return { scope: { WebAssembly: { Suspending, Module: WebAssembly.Module, Instance } }, Suspending };
}

test('a poll() that suspends is called from wasm', () => {
	const { memory, poll, seen, entries } = start(-1, 5);
	const { scope, Suspending } = suspendingScope();
	const own = new Suspending(poll);
	const env = /** @type {Record<string, any>} */ ({ __syscall_poll: own });
	const undo = patchSuspendingPoll(scope, { imports: { env }, heap32: memory });
	assert.equal(env.__syscall_poll(AT, 2, 70), 1);
	assert.equal(env.__syscall_poll(AT + 8, 1, 70), 1);
	assert.deepEqual(seen, [[5], [5]]);
	assert.deepEqual(entries(), [[-1, 1, 0], [5, 2, 2]]);
	undo();
	assert.equal(env.__syscall_poll, own);
});

test('what a stack that cannot suspend throws passes, and the set is as it was', () => {
	const { memory, entries } = start(-1, 5);
	const { scope, Suspending } = suspendingScope();
	const env = /** @type {Record<string, any>} */ ({ __syscall_poll: new Suspending(() => {
		throw new TypeError('trying to suspend');
	}) });
	patchSuspendingPoll(scope, { imports: { env }, heap32: memory });
	assert.throws(() => env.__syscall_poll(AT, 2, 70), TypeError);
	assert.deepEqual(entries().map(([fd, events]) => [fd, events]), [[-1, 1], [5, 2]]);
});
