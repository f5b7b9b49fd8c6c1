import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '../../src/tunnel/limiter.js';

test('ten lines a second are written, and how many were not', (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	/** @type {string[]} */
	const lines = [];
	const limiter = new Limiter((_, line) => lines.push(line));
	for (let i = 0; i < 1000; i++) limiter.say(1, `${i}`);
	assert.deepEqual(lines, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
	t.mock.timers.tick(1000);
	assert.equal(lines.at(-1), '990 more lines of the server were not written');
	t.mock.timers.tick(1000);
	limiter.say(1, 'later');
	assert.deepEqual(lines.slice(10), ['990 more lines of the server were not written', 'later']);
});
