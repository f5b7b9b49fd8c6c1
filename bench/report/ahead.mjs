// Where a rival is ahead, read from the tables themselves.

import { moreIsBetter } from './better.mjs';

/** What is no rival but a measure: TCP without anything between, a Go program that does nothing. */
const MEASURES = ['direct', 'empty'];

/** A rival is ahead from here on; less is noise. */
const AHEAD_FROM = 1.05;

/**
 * Returns the rows of the tables in which a rival is ahead, those of one family and rival
 * in one line.
 * @param {string} figures  Markdown
 * @returns {string}
 */
export function aheadText(figures) {
	/** @type {Map<string, string[]>} */
	const lines = new Map();
	for (const { family, name, rival, factor } of rowsOf(figures)) {
		const key = `${family}, ${rival}`;
		lines.set(key, [...lines.get(key) ?? [], `${name} (${factor < 10 ? factor.toFixed(2) : factor.toFixed(0)} times)`]);
	}
	if (lines.size === 0) return 'In no row.';
	return [...lines].map(([key, names]) => `- ${key}: ${names.join('; ')}.`).join('\n');
}

/** @param {string} figures */
function* rowsOf(figures) {
	let family = '';
	/** @type {string[]} */
	let columns = [];
	for (const line of figures.split('\n')) {
		const heading = /^#+ (.*)$/.exec(line);
		if (heading) {
			family = heading[1];
			columns = [];
		}
		if (!line.startsWith('|') || line.startsWith('|---')) continue;
		const cells = line.split('|').slice(1, -1).map((cell) => cell.trim());
		if (columns.length === 0) {
			columns = cells;
			continue;
		}
		const [, name, unit] = /^(.*), ([^,]*)$/.exec(cells[0]) ?? [];
		for (const [i, rival] of columns.entries()) {
			const ratio = Number(/\(([\d.e-]+)x\)$/.exec(cells[i])?.[1]);
			if (!ratio || MEASURES.includes(rival)) continue;
			const factor = moreIsBetter(unit) ? 1 / ratio : ratio;
			if (factor >= AHEAD_FROM) yield { family, name, rival, factor };
		}
	}
}
