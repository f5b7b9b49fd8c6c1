// What a benchmark leaves: a JSON file with every value, from which bench/report makes
// tables and plots.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export function median(values) {
	return quantile(values, 0.5);
}

/** The value below which the share q of the others lies. */
export function quantile(values, q) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/**
 * One measurement: the values of each kind, a value a round; values of the same index are
 * of the same round.
 * @typedef {{ family: string, name: string, unit: string, goal?: string, values: Record<string, number[]> }} Measurement
 */

export class Report {
	/** @type {Measurement[]} */
	measurements = [];
	/** @type {Record<string, string | number>} */
	facts = {};

	constructor(title) {
		this.title = title;
	}

	/** Keeps a measurement and prints its row. @param {Measurement} m */
	add(m) {
		this.measurements.push(m);
		const cells = Object.entries(m.values).map(([kind, values]) => {
			const ratio = kind === 'sockmux' || !m.values.sockmux ? NaN : ratioOf(m.values.sockmux, values);
			return `${kind} ${format(median(values))}${Number.isFinite(ratio) ? ` (sockmux ${ratio.toFixed(2)}x)` : ''}`;
		});
		console.log(`${m.family}: ${m.name}, ${m.unit}: ${cells.join(', ')}`);
	}

	fact(name, value) {
		this.facts[name] = value;
		console.log(`${name}: ${value}`);
	}

	/** Takes over what another report has written, and printed. @param {string} file */
	async merge(file) {
		const { facts, measurements } = JSON.parse(await readFile(file, 'utf8'));
		this.facts = { ...facts, ...this.facts };
		this.measurements.push(...measurements);
	}

	async write(file) {
		await mkdir(dirname(file), { recursive: true });
		await writeFile(file, `${JSON.stringify({ title: this.title, facts: this.facts, measurements: this.measurements }, null, '\t')}\n`);
	}
}

/** The median of the ratios within each round. */
export function ratioOf(ours, theirs) {
	return median(ours.map((value, i) => value / theirs[i]));
}

export function format(value) {
	if (value === 0) return '0';
	const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
	return value.toFixed(Math.min(digits, 3));
}
