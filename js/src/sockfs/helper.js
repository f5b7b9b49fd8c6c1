// Brings the layer into Emscripten programs that run in the page's own thread: C with a main loop or ASYNCIFY, and the sockets of pthreads,
// whose calls are carried out here.

import { serveThreads } from '../pthread/page.js';
import { patchDNS } from './dns.js';
import { LocalConnector } from './local.js';
import { patchOps } from './ops.js';
import { globalProgramOf, hiddenProgram } from './program.js';
import { patchImports } from './syscalls.js';

/** @typedef {import('./instantiate.js').Instance} Instance */
/** @typedef {import('./program.js').Program} Program */

/**
 * Makes the helper of the programs of one page.
 * @param {object} options
 * @param {import('./opener.js').Open} options.open
 * @param {any} options.scope  the page's global object
 * @param {(text: string) => void} options.report  tells the user, one line
 * @param {import('../pthread/threads.js').Threads | null} [options.threads]  workers of pthreads that have our half
 * @returns {{ help: (instance: Instance) => void, remove: () => void }}
 *   help must be called before the program is instantiated; a program whose parts are not found keeps SOCKFS's own sockets, which go
 *   through the facade. remove ends the sockets and puts everything back
 */
export function createHelper({ open, scope, report, threads }) {
	const connector = new LocalConnector(open, report);
	/** @type {Set<() => void>} */
	const undo = new Set();
	/** @param {Program} program */
	const patch = (program) => {
		if (!connector.alive) return;
		undo.add(patchOps(program, connector));
		undo.add(patchDNS(program.DNS));
	};
	return {
		help(instance) {
			const program = globalProgramOf(scope, instance) ?? hiddenProgram(instance, patch);
			if (program.ops) patch(program);
			const served = threads && serveThreads(instance.imports, { program, threads });
			patchImports(instance.calls, program, connector);
			served?.socketsMade();
		},
		remove() {
			connector.close();
			for (const restore of undo) restore();
			undo.clear();
		},
	};
}
