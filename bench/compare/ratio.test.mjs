import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIDENCE, MIN_ROUNDS, ratioWithin, verdictOf } from './ratio.mjs';

const ones = (length) => Array.from({ length }, () => 1);
const upTo = (length) => Array.from({ length }, (_, i) => i + 1);

// The ranks are those of tables of the sign test.
for (const [rounds, low, high, confidence] of [[5, 1, 5, 0.9375], [6, 1, 6, 0.96875], [8, 1, 8, 0.9921875], [9, 2, 8, 0.9609375], [10, 2, 9, 0.978515625], [20, 6, 15, 0.958610534667969], [25, 8, 18, 0.9567147493362427]]) {
	test(`${rounds} rounds`, () => {
		const ratio = ratioWithin(upTo(rounds), ones(rounds));
		assert.deepEqual([ratio.low, ratio.high], [low, high]);
		assert.ok(Math.abs(ratio.confidence - confidence) < 1e-9, `${ratio.confidence}`);
		assert.equal(ratio.confidence >= CONFIDENCE, rounds >= MIN_ROUNDS);
	});
}

test('ratios are of the same round', () => {
	const { median, low, high } = ratioWithin([2, 20, 200, 2000, 2, 20], [1, 10, 100, 1000, 1, 10]);
	assert.deepEqual([median, low, high], [2, 2, 2]);
});

test('the median of base / now is one over that of now / base', () => {
	const now = [3, 5, 8, 2];
	const base = [2, 7, 4, 9];
	assert.ok(Math.abs(ratioWithin(now, base).median * ratioWithin(base, now).median - 1) < 1e-12);
});

test('nothing in both trees is no change', () => assert.equal(ratioWithin([0, 0], [0, 0]).median, 1));

test('a single round has no interval', () => assert.equal(ratioWithin([1], [2]).confidence, 0));

const ratio = (low, high, confidence = 0.96) => ({ rounds: 9, median: Math.sqrt(low * high), low, high, confidence });

/** @type {[ReturnType<typeof ratio>, string, number | undefined, string][]} */
const VERDICTS = [
	[ratio(1.02, 1.2), 'MB/s', undefined, 'better'],
	[ratio(1.02, 1.2), 'ms', undefined, 'worse'],
	[ratio(1.02, 1.2), 'ms', 1.1, ''],
	[ratio(1.12, 1.2), 'ms', 1.1, 'worse'],
	[ratio(0.8, 0.9), '%', 1.1, 'worse'],
	[ratio(0.8, 0.92), 'sockets/s', 1.1, ''],
	[ratio(0.8, 0.9), 'KiB a stream', undefined, 'better'],
	[ratio(0.9, 1.1), 'MB/s', undefined, ''],
	[ratio(2, 3, 0.9), 'MB/s', undefined, ''],
];
for (const [of, unit, bound, want] of VERDICTS) {
	test(`${of.low} to ${of.high} ${unit}, bound ${bound}, confidence ${of.confidence}`, () => assert.equal(verdictOf(of, unit, bound), want));
}
