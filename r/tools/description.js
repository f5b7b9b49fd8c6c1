// What R reads of an installed package, made of its source without R.

import { rds } from './rds.js';

/** The R that a package counts as built by: the oldest whose packages every later one takes. */
const BUILT = { version: [4, 0, 0], platform: '', system: 'unix' };

/** Reads a DESCRIPTION. @param {string} text @returns {Record<string, string>} */
export function parseDescription(text) {
	/** @type {[string, string][]} */
	const fields = [];
	for (const line of text.trimEnd().split('\n')) {
		const field = /^([A-Za-z@]+):\s*(.*)$/.exec(line);
		if (field) fields.push([field[1], field[2]]);
		else fields[fields.length - 1][1] += `\n${line}`;
	}
	return Object.fromEntries(fields);
}

/**
 * The files of an installed package that say what it is.
 * @param {string} text  DESCRIPTION of the source
 * @returns {{ 'DESCRIPTION': string, 'Meta/package.rds': string }}
 */
export function describe(text) {
	const fields = parseDescription(text);
	const built = `R ${BUILT.version.join('.')}; ${BUILT.platform}; ${fields.Date}; ${BUILT.system}`;
	const all = { ...fields, Built: built };
	const none = { list: [] };
	const description = { texts: Object.values(all), names: Object.keys(all) };
	const version = { list: [BUILT.version], class: ['R_system_version', 'package_version', 'numeric_version'] };
	const howBuilt = { list: [version, [BUILT.platform], [fields.Date], [BUILT.system]], names: ['R', 'Platform', 'Date', 'OStype'] };
	const links = ['Rdepends', 'Rdepends2', 'Depends', 'Suggests', 'Imports', 'LinkingTo'];
	return {
		DESCRIPTION: `${text.trimEnd()}\nBuilt: ${built}\n`,
		'Meta/package.rds': rds({ list: [description, howBuilt, ...links.map(() => none)], names: ['DESCRIPTION', 'Built', ...links], class: ['packageDescription2'] }),
	};
}
