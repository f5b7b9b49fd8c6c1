// What a comparison prints: a row for each measurement that both trees have.

import { format, median } from '../browser/report.mjs';
import { ratioWithin, verdictOf } from './ratio.mjs';

/** @typedef {import('../browser/report.mjs').Measurement} Measurement */

/**
 * @param {Measurement[]} measurements  of the kinds sockmux and base
 * @param {number} bound
 */
export function compare(measurements, bound) {
	const rows = measurements.filter(({ values }) => values.sockmux && values.base).map(({ family, name, unit, values }) => {
		const ratio = ratioWithin(values.sockmux, values.base);
		return {
			cells: [`${family}: ${name}, ${unit}`, format(median(values.base)), format(median(values.sockmux)), text(ratio.median), `${text(ratio.low)} to ${text(ratio.high)}`,
				`${(100 * ratio.confidence).toFixed(0)} % of ${ratio.rounds}`, verdictOf(ratio, unit)],
			exceeds: verdictOf(ratio, unit, bound) === 'worse',
		};
	});
	return {
		lines: align([['', 'base', 'now', 'now / base', 'interval', 'confidence', ''], ...rows.map(({ cells }) => cells)]),
		worse: rows.filter(({ exceeds }) => exceeds).map(({ cells }) => cells[0]),
		alone: measurements.filter(({ values }) => !values.sockmux || !values.base).map(({ family, name }) => `${family}: ${name}`),
	};
}

/** @param {number} ratio */
const text = (ratio) => (ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2));

/** A Markdown table whose columns are also aligned in a terminal. @param {string[][]} rows */
function align(rows) {
	const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
	const line = (/** @type {string[]} */ row) => `| ${row.map((cell, column) => (column === 0 || column === row.length - 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
	const rule = `|${widths.map((width, column) => (column === 0 || column === widths.length - 1 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
	const [head, ...rest] = rows.map(line);
	return [head, rule, ...rest];
}
