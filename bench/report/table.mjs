// The Markdown table of a family: medians, and of each rival the median of the ratios
// sockmux / rival within each round.

import { format, median, ratioOf } from '../browser/report.mjs';
import { met } from './goal.mjs';

/** @typedef {import('../browser/report.mjs').Measurement & { warm?: Record<string, number[]> }} Measurement */

/** What is no rival. */
export const OURS = ['sockmux', 'optimistic'];

/**
 * sockmux first, then its rivals in the order of their first appearance.
 * @param {Measurement[]} measurements
 */
export function kindsOf(measurements) {
	const rank = (kind) => (OURS.includes(kind) ? OURS.indexOf(kind) : OURS.length);
	return [...new Set(measurements.flatMap((m) => Object.keys(m.values)))].sort((a, b) => rank(a) - rank(b));
}

/** @param {Measurement[]} measurements */
export function table(measurements) {
	const kinds = kindsOf(measurements);
	const withGoals = measurements.some((m) => m.goal);
	const withWarm = measurements.some((m) => m.warm);
	const rows = measurements.map((m) => {
		const cells = kinds.flatMap((kind) => [cell(m.values, kind), ...(withWarm ? [cell(m.warm ?? {}, kind)] : [])]);
		const reached = met(m.goal, m.values);
		const goal = withGoals ? [m.goal ? `\`${m.goal}\`` : '', reached === undefined ? '' : reached ? 'yes' : 'no'] : [];
		return `| ${[`${m.name}, ${m.unit}`, ...cells, ...goal].join(' | ')} |`;
	});
	const figures = kinds.flatMap((kind) => (withWarm ? [kind, `${kind}, warm`] : [kind]));
	const columns = ['', ...figures, ...(withGoals ? ['goal', 'met'] : [])];
	const align = columns.map((_, i) => (i > 0 && i <= figures.length ? '---:' : '---'));
	return [`| ${columns.join(' | ')} |`, `|${align.join('|')}|`, ...rows];
}

/** @param {Record<string, number[]>} values @param {string} kind */
function cell(values, kind) {
	if (!values[kind]) return '';
	const value = format(median(values[kind]));
	const ratio = OURS.includes(kind) || !values.sockmux ? NaN : ratioOf(values.sockmux, values[kind]);
	return Number.isFinite(ratio) ? `${value} (${ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(2)}x)` : value;
}
