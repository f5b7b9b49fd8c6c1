// What runs in webR's worker, before webR's own script or (attach) in its midst. The build makes one classic script of it.

import { patchDNS } from '../sockfs/dns.js';
import { patchOps } from '../sockfs/ops.js';
import { patchImports } from '../sockfs/syscalls.js';
import { patchBoundPoll } from './bound.js';
import { resolveAgainst } from './base.js';
import { onInstantiate } from './instantiate.js';
import { RingConnector } from './ring.js';

/** @typedef {import('./ring.js').Message} Message */

const scope = /** @type {any} */ (globalThis);

/** Tells the page. Messages without `type` mean nothing to webR. @param {Message} message */
const post = (message) => scope.postMessage({ sockmux: message });

/** Does what has come for R meanwhile; its interrupt arrives here and leaves by an exception, straight through the wait. */
const pump = () => scope.Module?.webr?.handleEvents?.();

/** The program in this worker, if its parts can be seen and have the form that the layer knows. */
function findProgram() {
	const { SOCKFS, FS, DNS } = scope;
	const ops = SOCKFS?.websocket_sock_ops;
	if (!FS || !['connect', 'poll', 'sendmsg', 'recvmsg', 'close'].every((name) => typeof ops?.[name] === 'function')) return null;
	return { SOCKFS, FS, DNS, heap32: () => scope.HEAP32 };
}

/**
 * Puts the layer in place.
 * @param {string} token  names the page's call to which this belongs
 * @param {Record<string, any> | null} env  the imports that R will be linked with; null: it is running already
 */
function start(token, env) {
	if (scope.sockmuxLayer) {
		scope.sockmuxLayer.hello(token);
		return;
	}
	const program = findProgram();
	if (program === null) {
		post({ op: 'note', token, text: 'this webR keeps its sockets (SOCKFS) where the layer cannot reach them' });
		return;
	}
	const connector = new RingConnector(post, pump);
	patchOps(program, connector, { unasked: false });
	patchDNS(program.DNS);
	if (env === null) patchBoundPoll(scope, program, connector);
	else patchImports(env, program, connector);
	scope.sockmuxLayer = { hello: (/** @type {string} */ again) => connector.hello(again) };
	connector.hello(token);
}

/**
 * Set by whoever starts this script.
 * @type {{ token: string, running: boolean, base: string }}
 *   running: R is there already; base: where the worker's own script came from, empty if this is its own worker
 */
const given = scope.sockmuxGiven;
delete scope.sockmuxGiven;
if (!given.running) post({ op: 'started' });
if (given.base) resolveAgainst(scope, given.base);
if (given.running) start(given.token, null);
else onInstantiate(scope, (env) => start(given.token, env));
