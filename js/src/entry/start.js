// Reads the options and installs: what the entries have in common.

import { checkNames, ConfigError, readConfig } from '../api/config.js';
import { installed, Sockmux } from '../api/sockmux.js';
import { FILES, VERSION } from './build.js';
import { engineFor } from './engines.js';
import { layers } from './layers.js';
import { isServiceWorker } from './parts.js';

/**
 * Where the script comes from.
 * @typedef {object} Origin
 * @property {string | null} script  its URL, if the server's other files are beside it
 * @property {boolean} pinned  the page may hold it to an SRI string
 * @property {import('./build.js').BuiltFiles} [built]
 * @property {(scope: any, files: import('../api/config.js').Config['files']) => import('./parts.js').LoadPart} load
 */

/** For a module that loads its parts later. Throws a ConfigError. @param {any} scope */
export function refuseServiceWorker(scope) {
	if (isServiceWorker(scope)) throw new ConfigError('this module cannot load its parts in a service worker: import "sockmux/service-worker" of the npm package');
}

/**
 * Installs once; a second call gives what the first has installed. Throws a ConfigError.
 * @param {Record<string, unknown>} options
 * @param {Origin} origin
 * @returns {Sockmux}
 */
export function start(options, { script, pinned, built = FILES, load }) {
	const scope = /** @type {any} */ (globalThis);
	const present = installed(scope);
	if (present) return present;
	const need = (/** @type {string} */ name) => {
		if (!scope[name]) throw new ConfigError(`this place has no ${name}; Node needs the npm package`);
	};
	['location', 'WebSocket', 'WebAssembly'].forEach(need);
	checkNames(options);
	const settings = readConfig(options, {
		script,
		pinned,
		page: scope.document?.baseURI ?? scope.location.href,
		origin: scope.origin,
		built,
	});
	if (settings.worker) need('Worker');
	const config = { ...settings, part: load(scope, settings.files) };
	return new Sockmux({ scope, config, version: VERSION, start: engineFor(scope, config), layers: isServiceWorker(scope) ? [] : layers });
}
