// Entry of sockmux.js, the classic script: installs at once, before the runtime that comes after it in the page.

import { ConfigError, fromDataset } from './config.js';
import { installed } from './sockmux.js';
import { start } from './start.js';

const scope = /** @type {any} */ (globalThis);

if (!installed(scope)) {
	const element = /** @type {HTMLScriptElement | null | undefined} */ (scope.document?.currentScript);
	const { options, unknown } = fromDataset({ ...element?.dataset });
	if (unknown.length > 0) console.error(`sockmux: ${unknown.join(', ')}: there is no such option; it is ignored`);
	try {
		start({ ...options, ...scope.sockmux }, element?.src || null, Boolean(element?.integrity));
	} catch (error) {
		if (!(error instanceof ConfigError)) throw error;
		console.error(`sockmux is not installed: ${error.message}`);
	}
}
