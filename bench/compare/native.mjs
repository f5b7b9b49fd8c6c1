// The native benchmark of two trees in one run. Each tree has a program of its own, because the
// client is in it.

import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { orderOf } from '../browser/alternate.mjs';

/**
 * Runs the trees' programs in turn, a round each. Returns the values by tree.
 * @param {Record<string, string>} trees  folders by kind
 * @param {number} rounds
 * @param {(folder: string, kind: string, out: string) => Promise<void>} measure  one round of one tree, into a file
 * @param {string} folder  for these files
 * @returns {Promise<import('../browser/report.mjs').Measurement[]>}
 */
export async function alternateTrees(trees, rounds, measure, folder) {
	/** @type {Map<string, import('../browser/report.mjs').Measurement>} */
	const all = new Map();
	for (let round = 0; round < rounds; round++) {
		for (const kind of orderOf(Object.keys(trees), round)) {
			const out = join(folder, `compare-native-${kind}.json`);
			await rm(out, { force: true });
			await measure(trees[kind], kind, out);
			if (!existsSync(out)) continue; // a tree without the family
			const { measurements } = JSON.parse(await readFile(out, 'utf8'));
			for (const { values, ...rest } of measurements) {
				const key = `${rest.family}: ${rest.name}, ${rest.unit}`;
				if (!all.has(key)) all.set(key, { ...rest, values: {} });
				(all.get(key).values[kind] ??= []).push(...values.sockmux);
			}
		}
	}
	return [...all.values()];
}
