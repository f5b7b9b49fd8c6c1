import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Early, FRESH_MS } from '../../src/engine/early.js';

/** @param {import('node:test').TestContext} t */
function make(t) {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	/** @type {any[]} */
	const made = [];
	const early = new Early(() => {
		const socket = { readyState: 0, closed: 0, close: () => void socket.closed++ };
		made.push(socket);
		return /** @type {any} */ ({ socket, attempt: 'a' });
	});
	const pass = (/** @type {number} */ ms) => {
		now += ms;
		t.mock.timers.tick(ms);
	};
	return { early, made, pass, late: (/** @type {number} */ ms) => void (now += ms) };
}

for (const state of [0, 1]) {
	test(`the first dial takes the WebSocket in state ${state}, and it is made once`, (t) => {
		const { early, made, pass } = make(t);
		early.begin();
		early.begin();
		made[0].readyState = state;
		assert.equal(early.take()?.socket, made[0]);
		assert.equal(early.take(), null);
		early.begin();
		pass(FRESH_MS);
		early.drop();
		assert.deepEqual([made.length, made[0].closed], [1, 0]);
	});
}

test('a WebSocket that has failed is dialed anew', (t) => {
	const { early, made } = make(t);
	early.begin();
	made[0].readyState = 3;
	assert.equal(early.take(), null);
});

test('one that nothing takes is closed before the server misses its HELLO', (t) => {
	const { early, made, pass } = make(t);
	early.begin();
	pass(FRESH_MS);
	assert.equal(made[0].closed, 1);
	assert.equal(early.take(), null);
});

test('one that is too old is not taken, where timers are late', (t) => {
	const { early, made, late } = make(t);
	early.begin();
	late(FRESH_MS);
	assert.equal(early.take(), null);
	assert.equal(made[0].closed, 1);
});

test('where no WebSocket can be made the dial says why', () => {
	const early = new Early(() => {
		throw new Error('no');
	});
	early.begin();
	assert.equal(early.take(), null);
});
