import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turns } from '../../src/tunnel/turns.js';
import { settled, Tasks } from '../fakes/tunnel.js';

function make() {
	const tasks = new Tasks();
	/** @type {string[]} */
	const told = [];
	const { turn, gather } = turns(tasks.schedule);
	/** An event, and what a promise of its handler does. @param {string} name */
	const event = (name) => turn(() => {
		told.push(name);
		void Promise.resolve().then(() => told.push(`${name} settled`));
	});
	return { tasks, told, event, turn, gather };
}

test('the first turn of a task comes at its end, each other one is a task', async () => {
	const { tasks, told, event, gather } = make();
	gather(() => {
		event('a');
		event('b');
		told.push('work');
	});
	assert.deepEqual([told, tasks.queue.length], [['work', 'a'], 1]);
	await settled();
	await tasks.run();
	assert.deepEqual(told, ['work', 'a', 'a settled', 'b', 'b settled']);
});

test('outside of a task of the tunnel a turn is a task', async () => {
	const { tasks, told, event } = make();
	event('a');
	assert.deepEqual(told, []);
	await tasks.run();
	assert.deepEqual(told, ['a', 'a settled']);
});

test('a turn overtakes none that waits', async () => {
	const { tasks, told, event, gather } = make();
	event('a');
	gather(() => event('b'));
	assert.deepEqual(told, []);
	await tasks.run();
	assert.deepEqual(told, ['a', 'a settled', 'b', 'b settled']);
});

test('two works in one task have one turn at their end, until promises have settled', async () => {
	const { tasks, told, event, gather } = make();
	gather(() => event('a'));
	gather(() => event('b'));
	assert.deepEqual(told, ['a']);
	await settled();
	await tasks.run();
	assert.deepEqual(told, ['a', 'a settled', 'b', 'b settled']);
	gather(() => event('c'));
	assert.equal(told.at(-1), 'c');
});

test('what a program does in its turn gets a turn of its own', async () => {
	const { tasks, told, event, turn, gather } = make();
	gather(() => turn(() => {
		told.push('a');
		event('b');
	}));
	assert.deepEqual(told, ['a']);
	await tasks.run();
	assert.deepEqual(told, ['a', 'b', 'b settled']);
});
