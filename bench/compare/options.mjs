// What a comparison was asked for, checked before anything is built.

import { MIN_ROUNDS } from './ratio.mjs';

/** Families of bench/native have this before their names. */
const NATIVE = 'native-';

/** What is compared without a word: what people do. */
const DEFAULT_FAMILIES = 'cold bulk latency load';

/** Its interval is that of the second smallest and the second largest ratio. */
const DEFAULT_ROUNDS = '10';

/** @typedef {{ base: string, browser: string[], native: string[], rounds: number, bound?: number, rivals: string, rest: string[] }} Options */

/**
 * @param {{ base?: string, families?: string, rounds?: string, bound?: string, rivals?: string }} values
 * @param {string[]} rest
 * @param {{ browser: string[], native: string[] }} families  that there are
 * @returns {Options}
 */
export function optionsOf({ base, families: wanted, rounds, bound, rivals = '' }, rest, families) {
	if (!base) throw new Error('BASE names the commit to compare with: make bench-compare BASE=main');
	const names = (wanted || DEFAULT_FAMILIES).split(/[\s,]+/).filter(Boolean);
	const known = [...families.browser, ...families.native.map((name) => NATIVE + name)];
	for (const name of names) if (!known.includes(name)) throw new Error(`FAMILIES: there is no ${name}; there is ${known.join(', ')}`);
	const options = {
		base,
		browser: names.filter((name) => !name.startsWith(NATIVE)),
		native: names.filter((name) => name.startsWith(NATIVE)).map((name) => name.slice(NATIVE.length)),
		rounds: Number(rounds || DEFAULT_ROUNDS),
		bound: bound ? Number(bound) : undefined,
		rivals,
		rest,
	};
	if (!Number.isInteger(options.rounds) || options.rounds < 1) throw new Error(`ROUNDS=${rounds} is no number of rounds`);
	if (options.bound === undefined) return options;
	if (!(options.bound >= 1)) throw new Error(`BOUND=${bound} is no factor of 1 or more`);
	if (options.rounds < MIN_ROUNDS) throw new Error(`BOUND needs at least ${MIN_ROUNDS} rounds: the interval of fewer is no evidence`);
	return options;
}
