import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watch, eventsBetween } from '../../src/blocking/events.js';
import { SIGNAL_BYTES, raise } from '../../src/sockfs/threads/signal.js';

/** @typedef {import('../../src/blocking/events.js').Look} Look */

/** @param {Partial<Look>} [given] @returns {Look} */
const look = (given) => ({ state: 'open', arrived: 0, unread: true, ended: false, writable: true, filled: 0, errno: 0, ...given });
const connecting = look({ state: 'connecting' });
const closed = look({ state: 'closed', ended: true });

/** @type {[title: string, before: Look, now: Look, events: string[]][]} */
const CASES = [
	['nothing', look(), look(), []],
	['it opens', connecting, look(), ['open']],
	['it opens, and bytes are there', connecting, look({ arrived: 5 }), ['open', 'message']],
	['it fails', connecting, look({ state: 'closed', ended: true, errno: 14 }), ['error', 'close']],
	['it opens and ends well', connecting, closed, ['open', 'close']],
	['it opens, brings bytes and is reset', connecting, look({ state: 'closed', ended: true, arrived: 3, errno: 15 }), ['open', 'message', 'error', 'close']],
	['bytes', look({ arrived: 5 }), look({ arrived: 9 }), ['message']],
	['a counter that wraps', look({ arrived: -1 }), look({ arrived: 4 }), ['message']],
	['bytes that the program has read already', look({ arrived: 5 }), look({ arrived: 9, unread: false }), []],
	['FIN', look(), look({ ended: true }), ['close']],
	['the end behind a FIN', look({ ended: true }), closed, ['end']],
	['room', look({ writable: false }), look(), ['room']],
	['room again in a buffer that was filled and emptied', look({ filled: 1 }), look({ filled: 2 }), ['room']],
	['a buffer that fills', look(), look({ writable: false }), []],
	['a reset, whose room nothing needs', look({ writable: false }), look({ state: 'closed', ended: true, errno: 15 }), ['error', 'close']],
];

for (const [title, before, now, events] of CASES) test(`events: ${title}`, () => assert.deepEqual(eventsBetween(before, now), events));

/** Resolves when something is true; each turn lets the watch run. @param {() => boolean} ready */
async function until(ready) {
	while (!ready()) await new Promise((resolve) => { setImmediate(() => resolve(undefined)); });
}

test('each socket\'s changes are told once, until it is closed or taken away', async () => {
	const signal = new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES));
	const watch = new Watch(signal);
	/** @type {string[]} */
	const told = [];
	const states = { a: look(), b: look() };
	const add = (/** @type {'a' | 'b'} */ name) => watch.add({ look: () => states[name], tell: (event) => void told.push(`${name} ${event}`) });
	add('a');
	const drop = add('b');
	states.a = look({ arrived: 1 });
	states.b = look({ ended: true });
	raise(signal);
	await until(() => told.length === 2);
	drop();
	states.b = closed;
	states.a = look({ state: 'closed', ended: true, arrived: 1 });
	raise(signal);
	await until(() => told.length === 3);
	assert.deepEqual(told, ['a message', 'b close', 'a close']);
});

test('listeners hear every change, the program\'s own too, until they are taken away', async () => {
	const signal = new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES));
	const watch = new Watch(signal);
	let heard = 0;
	const stop = watch.onchange(() => heard++);
	watch.changed();
	assert.equal(heard, 1);
	raise(signal);
	await until(() => heard === 2);
	stop();
	raise(signal);
	watch.changed();
	assert.equal(heard, 2);
});

test('a socket that changes while it is added is told of it only afterwards', async () => {
	const watch = new Watch(new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES)));
	/** @type {string[]} */
	const told = [];
	const [before, now] = [look({ state: 'connecting' }), look({ state: 'open' })];
	let looks = 0;
	const stop = watch.add({ look: () => (looks++ === 0 ? before : now), tell: (event) => told.push(event) });
	assert.deepEqual(told, []);
	await until(() => told.length > 0);
	assert.deepEqual(told, ['open']);
	stop();
});
