// Moments at which R waits, with a stand-in for webR.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Idle } from '../../src/webr/idle.js';

const { wait } = Atomics;
afterEach(() => {
	Object.assign(Atomics, { wait });
});

const cell = () => new Int32Array(new SharedArrayBuffer(4));

/** @param {{ due?: () => boolean, run?: () => boolean }} [what] */
function make({ due = () => true, run = () => true } = {}) {
	const calls = { handled: 0, started: 0, run: 0 };
	/** @type {(() => unknown)[]} */
	const reads = [];
	const webr = { handleEvents: () => void calls.handled++, channel: { read: () => reads.shift()?.() } };
	const idle = new Idle({ Module: { webr } }, { due, run: () => (calls.run++, run()) });
	const installed = idle.install(() => void calls.started++);
	return { idle, webr, calls, reads, installed };
}

test('events of webR\'s are handled first, then R runs', () => {
	const { webr, calls, installed } = make();
	webr.handleEvents();
	assert.deepEqual([installed, calls], [true, { handled: 1, started: 0, run: 1 }]);
});

test('R does not run where there is nothing to do, and where it runs already', () => {
	assert.equal(make({ due: () => false }).idle.look(), false);
	/** @type {ReturnType<typeof make>} */
	const made = make({ run: () => made.idle.look() });
	assert.equal(made.idle.look(), false);
	assert.equal(made.calls.run, 1);
});

test('an alarm is due at its time', () => {
	const { idle, calls } = make({ due: () => false });
	idle.alarmIn(60_000);
	idle.look();
	assert.equal(calls.run, 0);
	idle.alarmIn(0);
	idle.look();
	assert.equal(calls.run, 1);
});

test('a busy R is left alone for a while', () => {
	const { idle, calls } = make({ run: () => false });
	idle.look();
	idle.look();
	assert.equal(calls.run, 1);
});

test('while R reads its next command, a wait looks in between', () => {
	let left = 2;
	const { webr, calls, reads } = make({ due: () => left-- > 0 });
	reads.push(() => Atomics.wait(cell(), 0, 0, 500));
	assert.equal(webr.channel.read(), 'timed-out');
	assert.equal(calls.run, 2);
	assert.equal(calls.started, 1);
	// Outside of it, it is the native one.
	const before = calls.run;
	left = 2;
	assert.equal(Atomics.wait(cell(), 0, 0, 30), 'timed-out');
	assert.equal(Atomics.wait(cell(), 0, 1, 30), 'not-equal');
	assert.equal(calls.run, before);
});

test('a wait within a read within a read belongs to the outer one, too', () => {
	let due = false;
	const { webr, calls, reads } = make({ due: () => due });
	reads.push(() => {
		webr.channel.read();
		due = true;
		return Atomics.wait(cell(), 0, 0, 500);
	}, () => 'inner');
	webr.channel.read();
	assert.ok(calls.run > 0);
	assert.equal(calls.started, 1);
});

test('a webR that waits otherwise stays as it is', () => {
	for (const Module of [undefined, {}, { webr: {} }, { webr: { handleEvents() {}, channel: {} } }]) {
		assert.equal(new Idle({ Module }, { due: () => true, run: () => true }).install(() => assert.fail('started')), false);
	}
	assert.equal(Atomics.wait, wait);
});
