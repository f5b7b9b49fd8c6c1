// The wasm function that stands for a blocking system call in a program whose stack may be
// able to suspend (JSPI).
//
// Whether it is able to, no script can ask. A stack suspends if it was entered through a
// promising export and holds no frame of JavaScript above it: no callback, no invoke_* of
// setjmp() or of C++ exceptions. Anywhere else suspending throws a SuspendError, which ends
// the program. Counting entries and exits in JavaScript cannot answer either, because a
// resumed stack goes on without a call that could be counted. But wasm can catch the error:
// so the program's import is a function in wasm that tries to suspend, and where that fails
// it makes the call as plain Emscripten does. Nothing is tried before the call would block.

/** @typedef {import('../calls/retry.js').Retry} Retry */

import { EMPTY, I32, moduleOf, type, vector } from './wasm.js';

/**
 * The module for calls with so many parameters, all of them i32:
 *
 *     (loop
 *       (local.set $result (call $attempt <parameters> (local.get $ticket)))
 *       (local.set $ticket (global.get $waiting))
 *       (if (i32.eqz (local.get $ticket)) (then (return (local.get $result))))
 *       (try (do (call $wait (local.get $ticket)))
 *         (catch_all (return (call $giveUp <parameters> (local.get $ticket)))))
 *       (br 0))
 *
 * @param {number} arity
 */
function encode(arity) {
	const [result, ticket] = [arity, arity + 1];
	const given = Array.from({ length: arity }, (_, i) => [0x20, i]).flat();
	const body = [
		...vector([[2, I32]]),
		0x03, EMPTY,
		...given, 0x20, ticket, 0x10, 0, 0x21, result,
		0x23, 0, 0x21, ticket,
		0x20, ticket, 0x45, 0x04, EMPTY, 0x20, result, 0x0f, 0x0b,
		0x06, EMPTY, 0x20, ticket, 0x10, 1,
		0x19, ...given, 0x20, ticket, 0x10, 2, 0x0f, 0x0b,
		0x0c, 0, 0x0b,
		0x00, 0x0b,
	];
	return moduleOf({
		types: [type(arity + 1, 1), type(1, 0), type(arity, 1)],
		imports: [['attempt', 0], ['wait', 1], ['giveUp', 0]],
		call: 2,
		global: 'waiting',
		body,
	});
}

/**
 * Makes the functions.
 * @param {any} scope  its WebAssembly is asked once
 * @param {(ticket: number) => Promise<void>} wait  resolves when the attempt may be made again; never rejects
 * @returns {((retry: Pick<Retry, 'attempt' | 'giveUp'>, arity: number) => ((...args: any[]) => any)) | null}  null where no stack suspends
 */
export function createAdapter(scope, wait) {
	const { Suspending, Module, Instance } = scope.WebAssembly;
	if (typeof Suspending !== 'function') return null;
	const suspending = new Suspending(wait);
	/** @type {WebAssembly.Module[]} */
	const modules = [];
	return ({ attempt, giveUp }, arity) => {
		modules[arity] ??= new Module(encode(arity));
		const split = (/** @type {number[]} */ args) => /** @type {const} */ ([args.slice(0, arity), args[arity]]);
		/** @type {any} */
		const exports = new Instance(modules[arity], {
			a: {
				attempt(/** @type {number[]} */ ...all) {
					const made = attempt(...split(all));
					exports.waiting.value = made.ticket;
					return made.result;
				},
				giveUp: (/** @type {number[]} */ ...all) => giveUp(...split(all)),
				wait: suspending,
			},
		}).exports;
		return exports.call;
	};
}
