// The layer in a dedicated worker of the page: the sockets of any Emscripten program there are
// in the page's session, and its calls block. It runs before the worker's own script.

import { createHelper } from '../sockfs/helper.js';
import { enterThread } from '../sockfs/threads/enter.js';
import { watchSignals } from '../sockfs/program/signals.js';
import { watchInstantiation } from '../sockfs/program/watch.js';
import { resolveAgainst, takeBase } from '../workers/base.js';
import { Line, lineOfPort } from './line.js';
import { readBase, serveNested } from './nested.js';
import { keepsPolicy } from './policy.js';
import { RingConnector } from './ring.js';

/** @typedef {import('./ring.js').Message} Message */

/** What sockmux.js leaves where it is installed: a worker with its own needs no layer of the page's. */
const INSTALLED = Symbol.for('sockmux.installed');

const TOO_EARLY = 'the program in a nested worker is instantiated before the worker has got its first message, so its sockets do not wait: link it without -sWASM_ASYNC_COMPILATION=0';

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
 * Tells the page when the worker ends itself: nothing else does.
 * @param {any} scope
 * @param {Line} line
 */
function watchClose(scope, line) {
	const { close } = scope;
	scope.close = () => {
		if (line.used) line.post({ op: 'closed' });
		Reflect.apply(close, scope, []);
	};
}

/**
 * Waits for programs.
 * @param {any} scope  the worker's global object, whose name holds the URL of the worker's script
 * @param {Pick<Parameters<typeof serveNested>[1], 'prelude' | 'leave'>} nesting  for the workers that this one starts
 */
export function enter(scope, nesting) {
	const native = scope.postMessage;
	const { base, place } = readBase(takeBase(scope));
	if (place === 'thread') {
		enterThread(scope, base);
		return;
	}
	const nested = place === 'nested';
	const above = (/** @type {any[]} */ ...args) => Reflect.apply(native, scope, args);
	const tell = (/** @type {Message} */ message) => above({ sockmux: message });
	// The policy is that of the worker above, which has passed.
	if (!nested && !keepsPolicy(scope, tell)) return;
	const line = nested ? lineOfPort(scope) : new Line(above);
	if (base) resolveAgainst(scope, base);
	watchClose(scope, line);
	const ownSession = () => Boolean(scope.sockmux?.[INSTALLED]);
	const connector = new RingConnector((message) => line.post(message), () => {}, { peers: true, report });
	const threads = serveNested(scope, { ...nesting, line, on: () => !ownSession(), changes: connector.signal });
	// A module may wait for its first message before it is at its end, so that is said here.
	if (isModule(scope)) tell({ op: 'started' });
	/** @type {ReturnType<typeof createHelper> | null} */
	let helper = null;
	/** @param {string} text */
	function report(text) {
		line.post({ op: 'note', token: '', text });
	}
	/** @type {import('../sockfs/program/watch.js').Start} */
	const start = (instantiate, args, sync) => {
		if (!helper) {
			helper = createHelper({ connector: Object.assign(connector, { close() {} }), scope, report, threads });
			connector.hello('');
		}
		if (!connector.interrupted) Object.assign(connector, watchSignals(args[1]));
		return helper.start(instantiate, args, sync);
	};
	watchInstantiation(scope, (instantiate, args, sync) => {
		if (ownSession()) return instantiate(...args);
		if (line.open) return start(instantiate, args, sync);
		if (!sync) return line.opens.then(() => start(instantiate, args, sync));
		// A call that waited for the page would wait for ever.
		report(TOO_EARLY);
		return instantiate(...args);
	});
}
