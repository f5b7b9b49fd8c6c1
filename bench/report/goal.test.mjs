import assert from 'node:assert/strict';
import { test } from 'node:test';
import { met } from './goal.mjs';

const VALUES = { sockmux: [10, 30, 20], optimistic: [5, 5, 5], native: [10, 20, 20], 'plain ws': [40, 40, 40] };

/** @type {[goal: string | undefined, want: boolean | undefined][]} */
const GOALS = [
	[undefined, undefined],
	['', undefined],
	['<= 20 ms', true],
	['< 20 ms', false],
	['>= 95 %', false],
	['<= 12 KiB a stream', false],
	['>= 1.0 x native', true],
	['>= 1.1 x native', false],
	['<= 0.5 x plain ws', true],
	['>= 1.0 x wisp', undefined],
	['<= 20 ms, optimistic <= 5 ms', true],
	['<= 20 ms, optimistic <= 4 ms', false],
];
for (const [goal, want] of GOALS) test(`goal ${goal}`, () => assert.equal(met(goal, VALUES), want));

test('a goal that is none', () => assert.throws(() => met('fast', VALUES), { message: 'goal "fast": "fast" is no bound' }));
