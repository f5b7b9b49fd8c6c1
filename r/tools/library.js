// Builds R packages in the form in which R has them in its library. It needs no R: the code stays text,
// which R reads when it loads the package.

import { readFileSync, readdirSync } from 'node:fs';
import { describe } from './description.js';

/**
 * The files of an installed package by their paths in its folder.
 * @param {URL} folder  of the package's source
 * @returns {Record<string, string>}
 */
export function installed(folder) {
	const read = (/** @type {string} */ path) => readFileSync(new URL(path, folder), 'utf8');
	const name = folder.pathname.split('/').at(-2);
	const code = codeFiles(folder).map((file) => read(`R/${file}`));
	return {
		...describe(read('DESCRIPTION')),
		NAMESPACE: read('NAMESPACE'),
		LICENSE: read('LICENSE'),
		...(code.length > 0 && { [`R/${name}`]: code.join('\n') }),
	};
}

/** In the order in which R reads them. @param {URL} folder */
function codeFiles(folder) {
	try {
		return readdirSync(new URL('R', folder)).sort();
	} catch {
		return []; // a package that only passes on what others have
	}
}
