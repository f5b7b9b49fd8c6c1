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
		// The order changes each round: none is always first.
		for (let i = 0; i < kinds.length; i++) {
			const kind = kinds[(i + Math.abs(round)) % kinds.length];
			const result = await measure(kind);
			if (round >= 0) results[kind].push(result);
		}
	}
	return results;
}

/** The same with one field of each result. */
export function pick(results, field) {
	return Object.fromEntries(Object.entries(results).map(([kind, values]) => [kind, values.map((value) => value[field])]));
}
