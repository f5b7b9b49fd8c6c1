// Signals of a program: Pyodide's CPython looks into a shared buffer that the page writes
// (setInterruptBuffer). A call that blocks looks too, and ends with EINTR; CPython then finds
// the signal itself.

import { findFunctions } from './imports.js';

/** The import by which CPython takes a signal: it returns the number and clears it. */
const TAKE = '_Py_CheckEmscriptenSignals_Helper';

/**
 * Lets calls that wait see a program's signals. Must be called before the program is
 * instantiated.
 * @param {any} imports
 * @returns {(() => boolean) | undefined}  reports whether one has come; undefined: the program has none
 */
export function watchSignals(imports) {
	const slot = findFunctions(imports, (name) => name === TAKE).get(TAKE);
	if (!slot) return undefined;
	const take = slot.module[slot.key];
	/** Taken here, and not yet by the program. */
	let pending = 0;
	slot.module[slot.key] = Object.assign(() => {
		const signal = pending || take();
		pending = 0;
		return signal;
	}, take);
	return () => {
		pending ||= take();
		return pending !== 0;
	};
}
