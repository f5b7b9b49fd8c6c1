// Puts the layer under R in webR's worker: before webR's own script, or (attach) in its midst.

import { patchDNS } from '../sockfs/names/dns.js';
import { onInstantiate } from '../sockfs/program/instantiate.js';
import { patchOps } from '../sockfs/sockets/ops.js';
import { globalProgram } from '../sockfs/program/program.js';
import { patchImports } from '../sockfs/calls/syscalls.js';
import { resolveAgainst } from '../workers/base.js';
import { patchBound } from './bound.js';
import { installLibrary } from './library.js';
import { watchNames } from '../blocking/names.js';
import { Idle } from './idle.js';
import { obeyPolicy } from './policy.js';
import { R } from './r.js';
import { RingConnector } from '../blocking/ring.js';
import { installUrls } from './urls/urls.js';
import { WebSockets } from './websockets/websockets.js';

/** @typedef {import('../sockfs/program/instantiate.js').Instance} Instance */
/** @typedef {import('../blocking/ring.js').Message} Message */
/** @typedef {import('./library.js').Library} Library */

const scope = /** @type {any} */ (globalThis);

const UNREACHABLE =
	'the sockets of this webR (SOCKFS) are not where the layer looks for them, so R keeps the faults of the emulation: it sees no errors and does not wait. '
	+ 'Use webR 0.6.0, or a newer sockmux';

const NO_IDLE = 'this webR waits for its commands in another way than webR 0.6.0, so the R package sockmux is not there';

/** Tells the page. Messages without `type` mean nothing to webR. @param {Message} message */
const post = (message) => scope.postMessage({ sockmux: message });

/**
 * Does what has come for R meanwhile; its interrupt arrives here and leaves by an
 * exception, straight through the wait.
 */
const pump = () => scope.Module?.webr?.handleEvents?.();

const r = new R(scope);

/** R's memory as its script sees it. */
const heap32 = () => scope.HEAP32;

/**
 * Asks the R package whether R waits, and lets it run its loop then.
 * @returns {boolean}
 */
const runLoop = () => r.integer('sockmux:::on_idle()') === 1;

/**
 * What R's package sockmux stands on. It is brought into R's library when R has started.
 * @param {RingConnector} connector
 * @param {Library} library
 * @param {boolean} running  R has started
 */
function serveR(connector, library, running) {
	const websockets = new WebSockets(connector, (path) => scope.FS.readFile(path));
	const idle = new Idle(scope, { due: () => websockets.due, run: runLoop });
	const bring = () => installLibrary(scope.FS, library);
	if (running) bring();
	if (!idle.install(running ? () => {} : bring)) post({ op: 'note', token: '', text: NO_IDLE });
	return { websockets, idle };
}

/**
 * Puts the layer in place.
 * @param {Library} library  packages for R
 * @param {string} token  names the page's call to which this belongs
 * @param {Instance | null} instance  the R that is about to be instantiated; null: it is running already
 */
function start(library, token, instance) {
	if (scope.sockmuxLayer) {
		scope.sockmuxLayer.hello(token);
		return;
	}
	const program = globalProgram(scope, heap32);
	if (program === null) {
		post({ op: 'note', token, text: UNREACHABLE });
		return;
	}
	const connector = new RingConnector(post, pump);
	patchOps(program, connector, { unasked: false });
	patchDNS(program.DNS);
	if (instance === null) {
		patchBound(scope, program, connector);
		watchNames(program, connector);
	} else patchImports(instance.calls, program, connector);
	installUrls(scope, r, connector);
	const { failures } = connector;
	// What R may ask by webr::eval_js(): docs/WEBR.md.
	scope.sockmuxLayer = {
		hello: (/** @type {string} */ again) => connector.hello(again),
		get lastError() {
			return failures.last;
		},
		errorOf: (/** @type {string} */ host, /** @type {number} */ port) => failures.of(host, port),
		...serveR(connector, library, instance === null),
	};
	connector.hello(token);
}

/**
 * Begins with what the page has given to this worker.
 * @param {{ token: string, running: boolean, base: string }} given
 *   running: R is there already; base: where the worker's own script came from, empty if this is its own worker
 * @param {Library} library  packages for R
 */
export function enter(given, library) {
	if (!given.running) obeyPolicy(scope, given.base, post);
	if (given.base) resolveAgainst(scope, given.base);
	if (given.running) {
		start(library, given.token, null);
		return;
	}
	const stop = onInstantiate(scope, (instance) => {
		stop();
		start(library, given.token, instance);
	});
}
