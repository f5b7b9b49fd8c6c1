// Entry of sockmux-webr-worker.js: what runs in webR's worker.

import { enter } from '../webr/layer.js';

const scope = /** @type {any} */ (globalThis);

/** Set by what starts this script. */
const given = scope.sockmuxGiven;
delete scope.sockmuxGiven;
enter(given);
