// Entry of sockmux-webr-worker.js: what runs in webR's worker.

import library from '../../build/rlibrary.js';
import { takeBase } from '../workers/base.js';
import { enter } from '../webr/layer.js';

const scope = /** @type {any} */ (globalThis);

/** Set by what brings this script into a webR that runs already. */
const given = scope.sockmuxGiven;
delete scope.sockmuxGiven;
enter(given ?? { token: '', running: false, base: takeBase(scope) }, library);
