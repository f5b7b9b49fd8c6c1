import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds } from '../../src/api/options.js';

test('a time limit is a number of seconds, an hour at most', () => {
	assert.deepEqual([0, 1.5, 3600, 1e9, Infinity].map(milliseconds), [0, 1500, 3_600_000, 3_600_000, 3_600_000]);
	for (const wrong of [-1, NaN, 'soon', {}]) {
		assert.throws(() => milliseconds(/** @type {any} */ (wrong)), /^TypeError: timeout .* is not a number of seconds$/);
	}
});
