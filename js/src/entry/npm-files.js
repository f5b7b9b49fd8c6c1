// The files of the npm package by the URLs that the bundler gives.

import { ConfigError } from '../api/config.js';
import { FILES } from './build.js';

/** @typedef {import('./build.js').BuiltFiles} BuiltFiles */

/**
 * @param {import('../api/config.js').Options} options
 * @param {() => Partial<Record<keyof BuiltFiles, URL>>} more  files beside the wasm; throws where the bundle does not know its own URL
 * @returns {BuiltFiles}  their names are absolute URLs, unless the page says where the folder is
 */
export function builtFiles({ assets, wasm }, more) {
	if (assets !== undefined) return FILES;
	try {
		const urls = Object.entries({ wasm: new URL('./assets/sockmux.wasm', import.meta.url), ...more() });
		return { ...FILES, ...Object.fromEntries(urls.map(([key, { href }]) => [key, { name: href }])) };
	} catch {
		if (wasm !== undefined) return FILES;
		throw new ConfigError('assets is missing: this bundle does not know its own URL, so give the URL where dist/assets of the package is served, or make the bundle an ES module');
	}
}
