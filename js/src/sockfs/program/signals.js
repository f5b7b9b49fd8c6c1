// Signals of a program: Pyodide's CPython looks into a shared buffer that the page writes
// (setInterruptBuffer). A call that blocks looks too, and ends with EINTR; CPython then finds
// the signal itself.

import * as ERRNO from '../../wire/generated/errno.js';
import { findFunctions } from './imports.js';

/** The import by which CPython takes a signal: it returns the number and clears it. */
const TAKE = '_Py_CheckEmscriptenSignals_Helper';

/**
 * Lets calls that wait see a program's signals. Must be called before the program is
 * instantiated.
 * @param {any} imports
 * @returns {Pick<import('../connector.js').Connector, 'interrupted' | 'takeSignal'>}  nothing where the program has none
 */
export function watchSignals(imports) {
	const slot = findFunctions(imports, (name) => name === TAKE).get(TAKE);
	if (!slot) return {};
	const take = slot.module[slot.key];
	/** Taken here, and not yet by the program. */
	let pending = 0;
	const takeSignal = () => {
		const signal = pending || take();
		pending = 0;
		return signal;
	};
	slot.module[slot.key] = Object.assign(takeSignal, take);
	return {
		takeSignal,
		interrupted() {
			pending ||= take();
			return pending !== 0;
		},
	};
}

/**
 * Returns what a poll() gives that a signal has ended. select() of Emscripten 5 makes poll() and turns
 * each error of it into another one. So it gets that nothing is ready, and CPython is told of the
 * signal, which it handles when its call has returned. The descriptors of select() and of Python's poll
 * objects are in allocated memory, those of a socket that waits are on the stack.
 * @param {Record<string, any> | undefined} exports  of the program
 * @param {import('../connector.js').Connector} connector
 * @param {number | bigint} fds
 */
export function interruptedPoll(exports, { takeSignal }, fds) {
	const { PyErr_SetInterruptEx: tell, emscripten_stack_get_base: base, emscripten_stack_get_end: end } = exports ?? {};
	if (!takeSignal || !tell || !base || !end || (fds >= end() && fds < base())) return -ERRNO.EINTR;
	tell(takeSignal());
	return 0;
}
