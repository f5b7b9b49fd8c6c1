// Reads the options and installs: what the two entries have in common.

import { FILES, VERSION } from './build.js';
import { readConfig, unknownOptions } from './config.js';
import { engineFor } from './engines.js';
import { layers } from './layers.js';
import { installed, Sockmux } from './sockmux.js';

/**
 * Installs once; a second call gives what the first has installed. Throws a ConfigError.
 * @param {Record<string, unknown>} options
 * @param {string | null} script  URL of the script
 * @param {boolean} pinned  whether the page may hold it to an SRI string
 * @returns {Sockmux}
 */
export function start(options, script, pinned) {
	const scope = /** @type {any} */ (globalThis);
	const present = installed(scope);
	if (present) return present;
	const config = readConfig(options, {
		script,
		pinned,
		page: scope.document?.baseURI ?? scope.location.href,
		origin: scope.origin,
		built: FILES,
	});
	const unknown = unknownOptions(options);
	if (unknown.length > 0) console.error(`sockmux: ${unknown.join(', ')}: there is no such option; it is ignored`);
	return new Sockmux({ scope, config, version: VERSION, start: engineFor(scope, config), layers });
}
