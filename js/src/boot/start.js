// Reads the options and installs: what the two entries have in common.

import { Go } from '../../build/go.js';
import { programFrom } from '../tunnel/wasm.js';
import { BUILD } from './build.js';
import { readConfig, unknownOptions } from './config.js';
import { layers } from './layers.js';
import { installed, Sockmux } from './sockmux.js';

/**
 * Installs once; a second call gives what the first has installed. Throws a ConfigError.
 * @param {Record<string, unknown>} options
 * @param {string | null} script  URL of the script
 * @returns {Sockmux}
 */
export function start(options, script) {
	const scope = /** @type {any} */ (globalThis);
	const present = installed(scope);
	if (present) return present;
	const config = readConfig(options, {
		script,
		page: scope.document?.baseURI ?? scope.location.href,
		origin: scope.origin,
		wasm: BUILD.wasm,
		integrity: BUILD.integrity,
	});
	const unknown = unknownOptions(options);
	if (unknown.length > 0) console.error(`sockmux: ${unknown.join(', ')}: there is no such option; it is ignored`);
	const program = programFrom({ url: config.wasm, integrity: config.integrity, Go });
	return new Sockmux({ scope, config, version: BUILD.version, start: program, layers });
}
