// What only php-wasm has. PHP calls a poll() of php-wasm's for one socket before each poll(), accept()
// and recv(). It suspends the program, by JSPI or ASYNCIFY.

import { waitFor } from './syscalls.js';
import { setFlags } from './set-flags.js';
import { POLL } from '../flags.js';
import { moduleOf, type, vector } from '../program/wasm.js';
import { modulesOf } from '../program/watch.js';

/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('../program/program.js').Program} Program */

/** php-wasm's poll() of one socket in its build for JSPI. */
const JSPI_POLL = '__asyncjs__wasm_poll_socket';
/** The same in its build for ASYNCIFY. */
const ASYNCIFY_POLL = 'wasm_poll_socket';
const FCNTL = '__syscall_fcntl64';

/**
 * Patches the calls that are php-wasm's own, if the program is php-wasm.
 * @param {any} scope
 * @param {Instance} instance  not instantiated yet
 * @param {() => Program} program  called from the instantiation on
 * @param {import('../connector.js').Connector} connector
 */
export function patchPHP(scope, { imports, calls }, program, connector) {
	for (const module of modulesOf(imports)) {
		if (!(JSPI_POLL in module || ASYNCIFY_POLL in module)) continue;
		// It has waited before poll() is called, and would wait twice.
		calls.delete('__syscall_poll');
		const poll = module[ASYNCIFY_POLL];
		if (poll) module[ASYNCIFY_POLL] = Object.assign(pollInPlace(poll, program, connector), poll);
		const fcntl = module[FCNTL];
		const { Suspending } = scope.WebAssembly;
		if (Suspending && fcntl instanceof Suspending) module[FCNTL] = beforeSuspending(scope, fcntl, program);
	}
}

/**
 * Returns a poll() for the build of ASYNCIFY. stream_socket_accept() calls it below functions that the
 * build cannot unwind, so there it must not sleep. A thread that may block waits in it.
 * @param {(...args: any[]) => any} sleeping
 * @param {() => Program} program
 * @param {import('../connector.js').Connector} connector
 */
const pollInPlace = (sleeping, program, connector) => (/** @type {number} */ fd, /** @type {number} */ events, /** @type {number} */ timeout) => {
	const { sockOf, ops } = program();
	const sock = sockOf(fd);
	// stream_select() asks for room to write, too, and may sleep.
	if (!sock?.server || events & POLL.OUT) return sleeping(fd, events, timeout);
	const ready = () => (ops.poll(sock) === 0 ? 0 : 1);
	return connector.canWait ? waitFor(ready, timeout, connector) : ready();
};

/**
 *     (if (call $set <parameters>) (then (return (i32.const 0))))
 *     (call $fcntl <parameters>)
 */
const FCNTL_MODULE = moduleOf({
	types: [type(3, 1)],
	imports: [['set', 0], ['fcntl', 0]],
	call: 0,
	body: [
		...vector([]),
		0x20, 0, 0x20, 1, 0x20, 2, 0x10, 0, 0x04, 0x40, 0x41, 0, 0x0f, 0x0b,
		0x20, 0, 0x20, 1, 0x20, 2, 0x10, 1, 0x0b,
	],
});

/**
 * Returns an fcntl() that carries out F_SETFL on sockets, and else calls one that may suspend, below no
 * frame of JavaScript.
 * @param {any} scope
 * @param {object} fcntl
 * @param {() => Program} program
 */
function beforeSuspending(scope, fcntl, program) {
	const { Module, Instance } = scope.WebAssembly;
	const set = (/** @type {[number, number, number]} */ ...args) => Number(setFlags(program(), ...args));
	return new Instance(new Module(FCNTL_MODULE), { a: { set, fcntl } }).exports.call;
}
