// What runs in the worker of a pthread, before the program's own script. The build makes
// one classic script of it, which a module can import too.

import { resolveAgainst, takeBase } from '../workers/base.js';
import { Cells, Common } from '../sockfs/threads/cells.js';
import { patchThread } from '../sockfs/threads/thread.js';

const scope = /** @type {any} */ (globalThis);

/** @type {Parameters<typeof patchThread>[1] | null} */
let thread = null;

const base = takeBase(scope);
if (base) resolveAgainst(scope, base);

// The page's first message, ahead of the program's.
scope.addEventListener('message', function take(/** @type {MessageEvent} */ event) {
	const given = event.data?.sockmux;
	if (given?.op !== 'thread') return;
	event.stopImmediatePropagation();
	scope.removeEventListener('message', take);
	thread = { id: given.id, common: new Common(given.common), cells: new Cells(given.cells) };
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
