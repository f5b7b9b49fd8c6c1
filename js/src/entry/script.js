// Entry of sockmux.js, the classic script: installs at once, before the runtime that
// comes after it in the page.

import { ConfigError, fromDataset } from '../api/config.js';
import { installed } from '../api/sockmux.js';
import { ownUrl } from './own-url.js';
import { partLoader } from './parts.js';
import { start } from './start.js';

const scope = /** @type {any} */ (globalThis);

if (!installed(scope)) {
	const element = /** @type {HTMLScriptElement | null | undefined} */ (scope.document?.currentScript);
	try {
		const { options, unknown } = fromDataset({ ...element?.dataset });
		if (unknown.length > 0) console.error(`sockmux: ${unknown.join(', ')}: there is no such setting; it is ignored`);
		start({ ...options, ...scope.sockmux }, { script: element ? element.src : ownUrl(), pinned: Boolean(element?.integrity), load: partLoader });
	} catch (error) {
		if (!(error instanceof ConfigError)) throw error;
		console.error(`sockmux is not installed: ${error.message}`);
	}
}
