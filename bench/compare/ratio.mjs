// The ratio of two trees in one run, with a confidence interval.

import { moreIsBetter } from '../report/better.mjs';

/**
 * A ratio now / base. `confidence` is the probability that [low, high] holds the true median.
 * @typedef {{ rounds: number, median: number, low: number, high: number, confidence: number }} Ratio
 */

/** The confidence that an interval has where the rounds suffice for it. */
export const CONFIDENCE = 0.95;

/**
 * Returns the median of the ratios within each round and its interval. The interval is that of
 * the sign test: two order statistics of the ratios, whatever their distribution.
 * @param {number[]} now
 * @param {number[]} base  values of the same index are of the same round
 * @returns {Ratio}
 */
export function ratioWithin(now, base) {
	const rounds = Math.min(now.length, base.length);
	const ratios = Array.from({ length: rounds }, (_, i) => (now[i] === base[i] ? 1 : now[i] / base[i])).sort((a, b) => a - b);
	const outside = outsideOf(rounds);
	const [lower, upper] = [ratios[(rounds - 1) >> 1], ratios[rounds >> 1]];
	return {
		rounds,
		median: lower === upper ? lower : Math.sqrt(lower * upper), // the same distance from both, whichever tree is the base
		low: ratios[outside],
		high: ratios[rounds - 1 - outside],
		confidence: 1 - 2 * tail(rounds, outside),
	};
}

/** How many ratios may lie outside the interval on each side. @param {number} rounds */
function outsideOf(rounds) {
	let outside = 0;
	while (2 * tail(rounds, outside + 1) <= 1 - CONFIDENCE) outside++;
	return outside;
}

/**
 * The probability that a fair coin shows heads at most so often.
 * @param {number} tosses
 * @param {number} heads
 */
function tail(tosses, heads) {
	let term = 0.5 ** tosses;
	let sum = term;
	for (let k = 1; k <= heads; k++) sum += term *= (tosses - k + 1) / k;
	return sum;
}

/** The fewest rounds whose interval has CONFIDENCE. */
export const MIN_ROUNDS = (() => {
	let rounds = 1;
	while (2 * tail(rounds, 0) > 1 - CONFIDENCE) rounds++;
	return rounds;
})();

/**
 * Returns 'better' or 'worse' where the whole interval is on that side of the bound, '' otherwise.
 * @param {Ratio} ratio
 * @param {string} unit
 * @param {number} [bound]  1.1: more than a tenth
 * @returns {'better' | 'worse' | ''}
 */
export function verdictOf({ low, high, confidence }, unit, bound = 1) {
	if (confidence < CONFIDENCE) return '';
	const more = moreIsBetter(unit);
	if (low > bound) return more ? 'better' : 'worse';
	if (high < 1 / bound) return more ? 'worse' : 'better';
	return '';
}
