// Runs one measurement in turn for each kind, so that what else the machine does hits all alike.

/**
 * @param {{ warmups: number, rounds: number }} size
 * @param {string[]} kinds
 * @param {(kind: string) => Promise<any>} measure
 * @returns {Promise<Record<string, any[]>>}  what was measured, a value a round, without the warm-ups
 */
export async function alternate({ warmups, rounds }, kinds, measure) {
	const results = Object.fromEntries(kinds.map((kind) => [kind, []]));
	for (let round = -warmups; round < rounds; round++) {
		for (const kind of orderOf(kinds, round + warmups)) {
			const result = await measure(kind);
			if (round >= 0) results[kind].push(result);
		}
	}
	return results;
}

/**
 * The order of a round: each kind is as often before another one as behind it (A B, B A, B A, A B).
 * @param {string[]} kinds
 * @param {number} round
 */
export function orderOf(kinds, round) {
	const first = (round >> 1) % kinds.length;
	const order = [...kinds.slice(first), ...kinds.slice(0, first)];
	return round % 2 === 0 ? order : order.reverse();
}

/** The same with one field of each result. */
export function pick(results, field) {
	return Object.fromEntries(Object.entries(results).map(([kind, values]) => [kind, values.map((value) => value[field])]));
}
