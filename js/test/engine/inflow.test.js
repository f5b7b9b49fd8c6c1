import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inflow, MAX_WAITING, MAX_WAITING_BYTES } from '../../src/engine/inflow.js';
import { FakeCarrier, FakeProgram } from '../fakes/program.js';
import { Carriers } from '../../src/engine/carrier.js';
import { Boundary } from '../../src/engine/boundary.js';
import { Traffic } from '../../src/engine/traffic.js';
import { settled, Tasks } from '../fakes/tunnel.js';

/**
 * An inflow on a clock that each item moves on.
 * @param {import('node:test').TestContext} t
 * @param {number} cost  milliseconds of an item
 */
function make(t, cost) {
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	const tasks = new Tasks();
	/** @type {number[]} */
	const handled = [];
	const inflow = new Inflow(tasks.schedule, (/** @type {number} */ item) => {
		handled.push(item);
		now += cost;
	});
	const pause = (/** @type {number} */ milliseconds) => void (now += milliseconds);
	return { inflow, tasks, handled, pause };
}

test('what fits into a slice is handled at once; the rest in later tasks, a slice each, in order', (t) => {
	const { inflow, tasks, handled } = make(t, 3);
	for (let i = 0; i < 8; i++) assert.equal(inflow.put(i, 1), true);
	assert.equal(handled.length, 3);
	const counts = [];
	while (tasks.queue.length > 0) {
		tasks.queue.shift()?.();
		counts.push(handled.length);
	}
	assert.deepEqual(counts, [6, 8]);
	assert.deepEqual(handled, [0, 1, 2, 3, 4, 5, 6, 7]);
	assert.equal(inflow.put(8, 1), true);
	assert.equal(handled.length, 9, 'what is left of a slice is used');
});

test('messages with pauses between them take no task of their own', (t) => {
	const { inflow, tasks, handled, pause } = make(t, 3);
	for (let i = 0; i < 100; i++) {
		inflow.put(i, 1);
		pause(2);
	}
	assert.equal(handled.length, 100);
	assert.equal(tasks.queue.length, 0);
});

test('a message that comes at once behind a slice waits for the next task', (t) => {
	const { inflow, tasks, handled, pause } = make(t, 9);
	inflow.put(0, 1);
	pause(0.5);
	inflow.put(1, 1);
	assert.deepEqual(handled, [0]);
	assert.equal(tasks.queue.length, 1);
	pause(5);
	inflow.put(2, 1);
	assert.deepEqual(handled, [0], 'what waits goes first');
	while (tasks.queue.length > 0) tasks.queue.shift()?.();
	assert.deepEqual(handled, [0, 1, 2]);
});

test('what waits is bounded, in messages and in bytes', (t) => {
	const many = make(t, 100).inflow;
	let count = 0;
	while (many.put(0, 1)) count++;
	assert.equal(count, MAX_WAITING + 1);
	t.mock.restoreAll();
	const large = make(t, 100).inflow;
	count = 0;
	while (large.put(0, 1 << 20)) count++;
	assert.equal(count, (MAX_WAITING_BYTES >> 20) + 1);
});

test('a long queue is worked off in order', async (t) => {
	const { inflow, tasks, handled } = make(t, 0.5);
	for (let i = 0; i < 20_000; i++) inflow.put(i, 1);
	await tasks.run();
	assert.equal(handled.length, 20_000);
	assert.ok(handled.every((item, i) => item === i));
});

/** @param {import('node:test').TestContext} t */
function carriers(t) {
	FakeCarrier.made = [];
	/** `cost`: milliseconds that a message takes. */
	const clock = { now: 0, cost: 0 };
	t.mock.method(performance, 'now', () => clock.now);
	const program = new FakeProgram();
	const tasks = new Tasks();
	const boundary = new Boundary(program.exports, () => {
		program.resumes++;
		clock.now += clock.cost;
	}, (error) => assert.fail(String(error)));
	const traffic = new Traffic();
	const all = new Carriers(boundary, { url: 'wss://h/v1/connect', Native: /** @type {any} */ (FakeCarrier), traffic, schedule: tasks.schedule, task: (work) => work(), probe: async () => 'down' });
	all.dial(1, 1000);
	return { program, tasks, clock, socket: FakeCarrier.made[0] };
}

test('a message that is too long never comes to Go, which ends the session', async (t) => {
	const { program, socket } = carriers(t);
	socket.onmessage({ data: new ArrayBuffer(1000) });
	const { onmessage } = socket;
	onmessage({ data: new ArrayBuffer(1001) });
	assert.equal(socket.onmessage, null, 'nothing more is taken');
	await settled();
	assert.deepEqual(program.calls.map(([name]) => name), ['carrierMessage', 'carrierViolated']);
	assert.deepEqual(program.calls[1], ['carrierViolated', 1, 7, 'a message of 1001 bytes: at most 1000 are allowed']);
});

test('a flood of messages ends the session', async (t) => {
	const { program, tasks, clock, socket } = carriers(t);
	const { onmessage } = socket;
	clock.cost = 100;
	onmessage({ data: new ArrayBuffer(9) });
	for (let i = 0; i <= MAX_WAITING; i++) socket.onmessage?.({ data: new ArrayBuffer(9) });
	assert.equal(socket.onmessage, null);
	assert.equal(program.calls.length, 1, 'in the present task nothing more is done');
	await tasks.run();
	assert.deepEqual(program.calls.slice(1), [['carrierViolated', 1, 7, 'messages come faster than this end can take them']]);
});

test('the end is told behind the messages before it', async (t) => {
	const { program, tasks, clock, socket } = carriers(t);
	socket.onopen();
	clock.cost = 100;
	socket.onmessage({ data: new ArrayBuffer(3) });
	socket.onmessage({ data: new ArrayBuffer(4) });
	socket.onclose({ code: 1001, reason: '' });
	await tasks.run();
	assert.deepEqual(program.calls.slice(1).map(([name]) => name), ['carrierMessage', 'carrierMessage', 'carrierClosed']);
});
