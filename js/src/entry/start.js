// Reads the options and installs: what the two entries have in common.

import { FILES, VERSION } from './build.js';
import { ConfigError, readConfig, unknownOptions } from '../api/config.js';
import { engineFor } from './engines.js';
import { layers } from './layers.js';
import { installed, Sockmux } from '../api/sockmux.js';

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
	const missing = missingIn(scope);
	if (missing) throw new ConfigError(missing);
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

/** What keeps the script from working in this scope. @param {any} scope */
function missingIn(scope) {
	if (!scope.location) return 'there is no location: this is no page and no worker of a browser. Node is not served by this script';
	if ('skipWaiting' in scope) return 'a service worker cannot import() the parts of the script: install it in the page or in a worker';
	return '';
}
