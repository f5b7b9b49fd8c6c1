// Goals of measurements and whether they are met: "<= 35 ms", ">= 1.0 x native", and of
// another kind than sockmux "optimistic <= 21 ms"; several have commas between them.

import { median, ratioOf } from '../browser/report.mjs';

const CLAUSE = /^(?:(?<kind>[\w ]+?) )?(?<than><=|>=|<|>) (?<bound>[\d.]+)(?: x (?<rival>.+)| [\w%/ ]+)?$/;

const HOLDS = { '<=': (a, b) => a <= b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '>': (a, b) => a > b };

/**
 * Whether the medians meet the goal; undefined where there is none, or the rival it goes
 * by was not measured.
 * @param {string | undefined} goal
 * @param {Record<string, number[]>} values
 */
export function met(goal, values) {
	if (!goal) return undefined;
	const clauses = goal.split(', ').map((text) => {
		const clause = CLAUSE.exec(text)?.groups;
		if (!clause) throw new Error(`goal ${JSON.stringify(goal)}: ${JSON.stringify(text)} is no bound`);
		const { kind = 'sockmux', than, bound, rival } = clause;
		if (!values[kind] || (rival && !values[rival])) return undefined;
		return HOLDS[than](rival ? ratioOf(values[kind], values[rival]) : median(values[kind]), Number(bound));
	});
	return clauses.includes(undefined) ? undefined : clauses.every(Boolean);
}
