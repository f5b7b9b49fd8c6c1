// Brings the layer into Emscripten programs of this thread. In the page's own thread that is C
// with a main loop, ASYNCIFY or JSPI, and the sockets of pthreads, whose calls are carried out
// here; in a worker that may block it is any program.

import { serveThreads, wakeThreads } from './threads/page.js';
import { createAdapter } from './program/adapter.js';
import { patchDNS } from './names/dns.js';
import { inspect } from './program/instantiate.js';
import { explain } from './explain.js';
import { linked } from './program/link.js';
import { patchOps } from './sockets/ops.js';
import { entryOf } from './program/entry.js';
import { globalProgramOf, hiddenProgram } from './program/program.js';
import { patchSuspendingPoll } from './program/suspending-poll.js';
import { openTest, tellFilesApart } from './calls/nosocket.js';
import { operationCalls, patchImports } from './calls/syscalls.js';
import { patchPHP } from './calls/php.js';

/** @typedef {import('./program/instantiate.js').Instance} Instance */
/** @typedef {import('./program/program.js').Program} Program */

/** @typedef {import('./connector.js').Connector} Connector */

/**
 * Makes the helper of the programs of one page or worker.
 * @param {object} options
 * @param {Connector & { close: () => void }} options.connector  of their sockets
 * @param {any} options.scope  the global object
 * @param {(text: string) => void} options.report  tells the user, one line
 * @param {import('./threads/threads.js').Threads | null} [options.threads]  workers of pthreads that have our half
 * @returns {{ start: import('./program/watch.js').Start, explain: (seen: import('./explain.js').Seen) => void, remove: () => void }}
 *   start instantiates a program with the layer in its imports; one whose parts are not found keeps
 *   SOCKFS's own sockets, which go through the facade. explain says on the console why the layer is out of a
 *   program that made such a socket. remove ends the sockets and puts everything back
 */
export function createHelper({ connector, scope, report, threads }) {
	/** @type {Set<() => void>} */
	const undo = new Set();
	let [started, patched] = [0, 0];
	// The threads of one that can wait do so on the signal that it waits on.
	if (threads && !connector.canWait) undo.add(wakeThreads(threads, connector));
	/** @param {Program} program */
	const patch = (program) => {
		if (!connector.alive) return;
		patched++;
		undo.add(patchOps(program, connector));
		undo.add(patchDNS(program.DNS));
	};
	const adapter = scope.WebAssembly.Suspending && ((/** @type {import('./calls/retry.js').Waiting} */ waiting) => createAdapter(scope, (ticket) => waiting.wait(ticket)));
	let promising = false;
	if (scope.WebAssembly.promising) {
		undo.add(watchCalls(scope.WebAssembly, 'promising', () => {
			promising = true;
		}));
	}
	/** Functions of ours that are imports. @type {WeakSet<object>} */
	const helped = new WeakSet();
	/**
	 * Replaces the imports. Returns what takes our wasm out again.
	 * @param {Instance} instance
	 */
	const help = (instance) => {
		started++;
		patchPHP(scope, instance, () => program, connector);
		const asyncify = () => Boolean(instance.exports()?.asyncify_start_unwind);
		const program = globalProgramOf(scope, instance) ?? hiddenProgram(instance, patch);
		if (program.ops) patch(program);
		tellFilesApart(instance.calls, openTest(instance.calls, instance.heap32));
		const served = threads && serveThreads(instance, { program, threads, replacements: operationCalls(program, connector, instance.calls) });
		const withoutPoll = adapter ? patchSuspendingPoll(scope, instance) : () => {};
		const withoutWasm = patchImports(instance.calls, program, connector, { scope, adapter, promising: () => promising, alone: connector.canWait, asyncify, exports: instance.exports });
		served?.socketsMade();
		helped.add(importOf(instance));
		return () => {
			withoutPoll();
			withoutWasm();
			helped.add(importOf(instance));
		};
	};
	return {
		start(native, args, sync) {
			const { instance, made } = inspect(args[1]);
			// A library that the program loads shares its imports.
			const withoutWasm = helped.has(importOf(instance)) ? () => {} : help(instance);
			const result = adapter ? linked(scope.WebAssembly, native, args, withoutWasm) : native(...args);
			return sync ? made(result) : result.then(made);
		},
		explain(seen) {
			// Sockets of UDP, and those that the page's own code has changed, pass the
			// facade beside the layer.
			if (patched === 0) report(explain({ ...seen, started: started > 0 }));
		},
		remove() {
			connector.close();
			for (const restore of undo) restore();
			undo.clear();
		},
	};
}

/** @param {Instance} instance */
function importOf({ calls }) {
	const slot = /** @type {import('./program/instantiate.js').ImportSlot} */ (entryOf(calls)[1]);
	return slot.module[slot.key];
}

/**
 * Calls back at every call of a method. Returns what undoes it.
 * @param {any} object
 * @param {string} key
 * @param {() => void} called
 */
function watchCalls(object, key, called) {
	const before = object[key];
	const watched = new Proxy(before, {
		apply(target, self, args) {
			called();
			return Reflect.apply(target, self, args);
		},
	});
	object[key] = watched;
	return () => {
		if (object[key] === watched) object[key] = before;
	};
}
