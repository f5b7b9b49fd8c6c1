// The layer in a dedicated worker of the page: the sockets of any Emscripten program there are
// in the page's session, and its calls block. It runs before the worker's own script.

import { createHelper } from '../sockfs/helper.js';
import { watchSignals } from '../sockfs/program/signals.js';
import { watchInstantiation } from '../sockfs/program/watch.js';
import { resolveAgainst, takeBase } from '../workers/base.js';
import { keepsPolicy } from './policy.js';
import { RingConnector } from './ring.js';

/** @typedef {import('./ring.js').Message} Message */

/** What sockmux.js leaves where it is installed: a worker with its own needs no layer of the page's. */
const INSTALLED = Symbol.for('sockmux.installed');

/** Only a classic worker may load scripts at once. @param {any} scope */
function isModule(scope) {
	try {
		scope.importScripts();
		return false;
	} catch {
		return true;
	}
}

/**
 * Waits for programs.
 * @param {any} scope  the worker's global object, whose name holds the URL of the worker's script
 */
export function enter(scope) {
	const native = scope.postMessage;
	/** @param {Message} message */
	const post = (message) => Reflect.apply(native, scope, [{ sockmux: message }]);
	const base = takeBase(scope);
	if (!keepsPolicy(scope, post)) return;
	if (base) resolveAgainst(scope, base);
	// A module may wait for its first message before it is at its end, so that is said here.
	if (isModule(scope)) post({ op: 'started' });
	/** @type {ReturnType<typeof createHelper> | null} */
	let helper = null;
	const connector = new RingConnector(post, () => {}, { peers: true, report });
	/** @param {string} text */
	function report(text) {
		post({ op: 'note', token: '', text });
	}
	watchInstantiation(scope, (start, args, sync) => {
		if (scope.sockmux?.[INSTALLED]) return start(...args);
		if (!helper) {
			helper = createHelper({ connector: Object.assign(connector, { close() {} }), scope, report, threads: null });
			connector.hello('');
		}
		connector.interrupted ??= watchSignals(args[1]);
		return helper.start(start, args, sync);
	});
}
