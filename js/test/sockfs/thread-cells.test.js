import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGNAL_BYTES, raise } from '../../src/sockfs/threads/signal.js';
import { Cells, Common, STATE, doorOf, threadBehind } from '../../src/sockfs/threads/cells.js';
import { MEMORY_BYTES } from '../../src/sockfs/threads/threads.js';

const memory = () => new SharedArrayBuffer(MEMORY_BYTES);

test('a call travels with its arguments, BigInts as BigInts, and comes back with its result', () => {
	const buffer = memory();
	const there = new Cells(buffer);
	const here = new Cells(buffer);
	there.ask('__syscall_recvfrom', [3, 4n, 5, 6, 7, 8]);
	assert.equal(here.state, STATE.asked);
	assert.deepEqual(here.asked, { name: '__syscall_recvfrom', args: [3, 4n, 5, 6, 7, 8] });
	here.answer(-6, Infinity);
	assert.deepEqual([there.state, there.result, there.waitMs], [STATE.done, -6, Infinity]);
	here.answer(4, null);
	assert.deepEqual([there.result, there.waitMs], [4, null]);
	here.decline();
	assert.equal(there.state, STATE.declined);
});

test('a thread\'s door is no descriptor, and no other number is a door', () => {
	assert.equal(threadBehind(doorOf(7)), 7);
	for (const value of [0, 3, -1, -1_000_000_000, -2_000_000_000, NaN]) assert.equal(threadBehind(value), 0, String(value));
});

test('descriptors that were sockets once', () => {
	const buffer = memory();
	const common = new Common(buffer);
	common.markSocket(4095);
	common.markSocket(3);
	common.markSocket(4096);
	common.markSocket(-1);
	assert.deepEqual([3, 4095, 4, 4096, -1].map((fd) => new Common(buffer).maySocket(fd)), [true, true, false, false, false]);
});

test('waiting ends with a change, one that came before it too, and with the time', () => {
	const common = new Common(memory());
	const seen = common.changes;
	common.wait(seen, 1);
	common.changed();
	common.wait(seen, Infinity);
	assert.equal(common.changes, seen + 1);
});

test('of a worker\'s threads, with a change of the worker\'s sockets', () => {
	const signal = new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES));
	const common = new Common(memory(), signal.buffer);
	const seen = common.changes;
	raise(signal);
	common.wait(seen, Infinity);
	assert.equal(common.changes, seen + 1);
});
