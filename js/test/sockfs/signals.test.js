import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptedPoll, watchSignals } from '../../src/sockfs/program/signals.js';
import * as ERRNO from '../../src/wire/generated/errno.js';

const SIGINT = 2;

/** A CPython whose page has sent a signal. */
function interrupted() {
	let sent = SIGINT;
	const env = { _Py_CheckEmscriptenSignals_Helper: Object.assign(() => {
		const signal = sent;
		sent = 0;
		return signal;
	}, { sig: 'i' }) };
	const signals = watchSignals({ env });
	return { env, signals };
}

test('a program without signals has none', () => {
	assert.deepEqual(watchSignals({ env: { other() {} } }), {});
});

test('a signal that a call has seen is still the program\'s', () => {
	const { env, signals } = interrupted();
	assert.deepEqual([signals.interrupted?.(), signals.interrupted?.()], [true, true]);
	assert.deepEqual([env._Py_CheckEmscriptenSignals_Helper(), signals.interrupted?.(), env._Py_CheckEmscriptenSignals_Helper()], [SIGINT, false, 0]);
	assert.equal(/** @type {any} */ (env._Py_CheckEmscriptenSignals_Helper).sig, 'i');
});

/** @type {[what: string, fds: number, told: number[], result: number][]} */
const POLLS = [
	['select() and of poll objects: CPython is told', 9000, [SIGINT], 0],
	['a socket that waits: EINTR', 1500, [], -ERRNO.EINTR],
];
for (const [what, fds, expected, result] of POLLS) {
	test(`a poll() of ${what}`, () => {
		const { signals } = interrupted();
		/** @type {number[]} */
		const told = [];
		const exports = {
			PyErr_SetInterruptEx: (/** @type {number} */ signal) => told.push(signal),
			emscripten_stack_get_end: () => 1000,
			emscripten_stack_get_base: () => 2000,
		};
		assert.equal(signals.interrupted?.(), true);
		assert.equal(interruptedPoll(exports, /** @type {any} */ (signals), fds), result);
		assert.deepEqual([told, signals.interrupted?.()], [expected, result !== 0]);
	});
}

test('a poll() of a program that cannot be told', () => {
	const { signals } = interrupted();
	assert.equal(interruptedPoll({}, /** @type {any} */ (signals), 9000), -ERRNO.EINTR);
	assert.equal(interruptedPoll(undefined, /** @type {any} */ ({}), 9000), -ERRNO.EINTR);
});
