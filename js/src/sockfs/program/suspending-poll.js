// A poll() that suspends its stack (JSPI), with negative descriptors left out of the set. The
// program's import is a function in wasm, because a frame of JavaScript in the stack would
// forbid to suspend.

import { hideNegatives } from '../calls/pollset.js';
import { EMPTY, I32, moduleOf, type, vector } from './wasm.js';
import { modulesOf, valuesOf } from './watch.js';

const POLL = '__syscall_poll';

/**
 *     (local.set $count (call $hide (local.get $fds) (local.get $count)))
 *     (local.set $ticket (global.get $hidden))
 *     (try (do (local.set $result (call $poll <parameters>)))
 *       (catch_all (call $show (local.get $ticket)) (rethrow 0)))
 *     (call $show (local.get $ticket))
 *     (local.get $result)
 */
const MODULE = moduleOf({
	types: [type(2, 1), type(3, 1), type(1, 0)],
	imports: [['hide', 0], ['poll', 1], ['show', 2]],
	call: 1,
	global: 'hidden',
	body: [
		...vector([[2, I32]]),
		0x20, 0, 0x20, 1, 0x10, 0, 0x21, 1,
		0x23, 0, 0x21, 3,
		0x06, EMPTY, 0x20, 0, 0x20, 1, 0x20, 2, 0x10, 1, 0x21, 4,
		0x19, 0x20, 3, 0x10, 2, 0x09, 0, 0x0b,
		0x20, 3, 0x10, 2,
		0x20, 4, 0x0b,
	],
});

/**
 * Replaces the import, if there is one that suspends.
 * @param {any} scope
 * @param {Pick<import('./instantiate.js').Instance, 'imports' | 'heap32'>} instance  not instantiated yet
 * @returns {() => void}  puts the program's own back, for a program that cannot be linked to ours
 */
export function patchSuspendingPoll(scope, { imports, heap32 }) {
	const { Suspending, Module, Instance } = scope.WebAssembly;
	for (const module of modulesOf(imports)) {
		for (const [key, poll] of valuesOf(module)) {
			if (key !== POLL || !(poll instanceof Suspending)) continue;
			/** @type {Map<number, import('../calls/pollset.js').Hidden>} */
			const waiting = new Map();
			let last = 0;
			/** @type {any} */
			const exports = new Instance(new Module(MODULE), {
				a: {
					poll,
					hide(/** @type {number} */ fds, /** @type {number} */ count) {
						const hidden = hideNegatives(heap32, fds, count >>> 0);
						exports.hidden.value = 0;
						if (!hidden) return count;
						do last = (last + 1) & 0x7fffffff; while (last === 0 || waiting.has(last));
						waiting.set(last, hidden);
						exports.hidden.value = last;
						return hidden.count;
					},
					show(/** @type {number} */ ticket) {
						waiting.get(ticket)?.restore();
						waiting.delete(ticket);
					},
				},
			}).exports;
			module[key] = exports.call;
			return () => {
				module[key] = poll;
			};
		}
	}
	return () => {};
}
