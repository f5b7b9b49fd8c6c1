// Puts the calls of thread.js into the program of a thread's worker. It runs before the program's
// own script.

import { resolveAgainst } from '../../workers/base.js';
import { Cells, Common } from './cells.js';
import { patchThread } from './thread.js';

/**
 * @param {any} scope  the worker's global object
 * @param {string} base  URL of the worker's script, empty if that is a blob
 */
export function enterThread(scope, base) {
	/** @type {Parameters<typeof patchThread>[1] | null} */
	let thread = null;
	if (base) resolveAgainst(scope, base);

	// The first message, ahead of the program's.
	scope.addEventListener('message', function take(/** @type {MessageEvent} */ event) {
		/** @type {import('./threads.js').ThreadMessage | undefined} */
		const given = event.data?.sockmux;
		if (given?.op !== 'thread') return;
		event.stopImmediatePropagation();
		scope.removeEventListener('message', take);
		thread = { id: given.id, common: new Common(given.common, given.changes), cells: new Cells(given.cells) };
	});

	const look = (/** @type {any} */ imports) => {
		if (thread) patchThread(imports, thread);
	};

	const { WebAssembly } = scope;
	const { instantiate } = WebAssembly;
	WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
		construct(target, args, newTarget) {
			look(args[1]);
			return Reflect.construct(target, args, newTarget);
		},
	});
	WebAssembly.instantiate = (/** @type {unknown} */ source, /** @type {unknown} */ imports, /** @type {unknown[]} */ ...rest) => {
		look(imports);
		return Reflect.apply(instantiate, WebAssembly, [source, imports, ...rest]);
	};
}
