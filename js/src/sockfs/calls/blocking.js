// The system calls that may block. Each is made as often as it takes (retry.js), where the
// calling stack can wait. The means, in the order in which they are tried:
//
// - a thread that may block (js/src/blocking): it waits between the attempts;
// - JSPI: the import is a function in wasm that suspends the stack (adapter.js);
// - ASYNCIFY, if the program was linked with our js-library: its function asks for a hook in
//   the global object while the call is under way, and sleeps by it (js/library).
//
// Anywhere else there is one attempt, and SOCKFS's operations do what plain Emscripten does.

import { address } from '../memory.js';
import { EPOLL_WAITS, epollLimit, epollOnce, watchEpolls } from './epoll.js';
import * as pollfd from './pollfd.js';
import { POLL_WAITS, passingOver, passingOverAsleep } from './pollset.js';
import { socketOf } from '../sockets/ops.js';
import { datagramsOf } from '../sockets/record.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { interruptedPoll } from '../program/signals.js';
import { Waiting, limitOf, onceForTime } from './retry.js';
import { SELECT, selected, selectLimit, selectOnce } from './select.js';

/** @typedef {import('../connector.js').Connector} Connector */
/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('./retry.js').Make} Make */
/** @typedef {import('./retry.js').Retry} Retry */

/**
 * How stacks of this page's programs may wait.
 * @typedef {object} Means
 * @property {Partial<Record<string, (before: (...args: any[]) => any) => (...args: any[]) => any>>} [names]  calls that are more than the program's own
 * @property {any} [scope]  the global object, where the program runs in its thread
 * @property {(waiting: Waiting) => ReturnType<typeof import('../program/adapter.js').createAdapter>} [adapter]
 * @property {() => boolean} [promising]  whether any export of the page's programs is entered as a promising one
 * @property {boolean} [alone]  whether poll() and select() wait without sockets of ours too, in a thread that may block
 * @property {(fd: number) => boolean} [isOpen]  given where the program's poll() says nothing of a closed descriptor
 * @property {Instance['exports']} [exports]  of the program
 * @property {() => boolean} [asyncify]  whether the program's exports show ASYNCIFY; known once it is instantiated
 */

/** Where programs linked with our js-library find the hook. It is also written in js/library. */
export const HOOK = Symbol.for('sockmux.blocking');

/**
 * A blocking call as it is made once.
 * @typedef {object} Call
 * @property {number} arity  parameters of the import
 * @property {number} [flags]  which of them holds MSG_*
 * @property {(program: Program, args: any[]) => boolean} [concerns]  whether the call may be about a socket of ours (default: it may)
 * @property {(original: (...args: any[]) => any) => Make} [once]  how it is made (default: by an operation of SOCKFS)
 * @property {(program: Program, args: any[]) => number} [limit]  milliseconds after which it ends in any case, for calls that may have other ends than sockets
 */

/** @param {Program} program @param {number} fd */
function isOurs({ sockOf }, fd) {
	const sock = sockOf(fd);
	return sock !== null && (socketOf(sock) !== undefined || datagramsOf(sock) !== undefined);
}

/** @param {Program} program @param {any[]} args */
function pollsOurs(program, [fds, count, timeout]) {
	if (timeout === 0) return false;
	const heap = program.heap32();
	for (let i = 0; i < count; i++) if (isOurs(program, heap[(address(fds) + i * pollfd.BYTES) / 4])) return true;
	return false;
}

/** Files and pipes pass by. @param {Program} program @param {any[]} args */
const namesOurs = (program, [fd]) => isOurs(program, fd);

/** @type {Record<string, Call>} */
const CALLS = {
	__syscall_connect: { arity: 6 },
	__syscall_bind: { arity: 6 },
	__syscall_listen: { arity: 6 },
	__syscall_accept4: { arity: 6, concerns: namesOurs },
	__syscall_recvfrom: { arity: 6, flags: 3, concerns: namesOurs },
	__syscall_recvmsg: { arity: 6, flags: 2, concerns: namesOurs },
	__syscall_sendto: { arity: 6, flags: 3, concerns: namesOurs },
	__syscall_sendmsg: { arity: 6, flags: 2, concerns: namesOurs },
	__syscall_poll: { arity: 3, concerns: pollsOurs, limit: (_, [, , timeout]) => limitOf(timeout) },
	fd_read: { arity: 4, concerns: namesOurs },
	fd_write: { arity: 4, concerns: namesOurs },
	getaddrinfo: { arity: 4 },
	getnameinfo: { arity: 7 },
	_emscripten_lookup_name: { arity: 1 },
};

/**
 * Calls that wait only where the thread may block.
 * @param {Instance['calls']} calls
 * @param {Program} program
 * @param {Connector} connector
 * @returns {Record<string, Call>}
 */
function waitingCalls(calls, program, connector) {
	const ours = (/** @type {number} */ fd) => isOurs(program, fd);
	const watches = watchEpolls(calls, connector, ours);
	return {
		[SELECT]: { arity: 5, concerns: (_, args) => selected(program, args).some(ours), limit: (_, args) => selectLimit(program, args[4]), once: selectOnce(program) },
		[EPOLL_WAITS]: { arity: 6, concerns: (_, [epoll]) => watches(epoll), limit: (_, args) => epollLimit(args), once: epollOnce(connector) },
	};
}

/**
 * Replaces the imports that are there, in place. Returns what leaves out the wasm, for a
 * program whose imports have other types (64-bit memory).
 * @param {Instance['calls']} calls
 * @param {Program} program
 * @param {Connector} connector
 * @param {Means} means
 * @returns {() => void}
 */
export function patchBlocking(calls, program, connector, { names = {}, scope = globalThis, adapter, promising = () => false, alone = false, asyncify = () => false, exports = () => undefined, isOpen }) {
	const waiting = new Waiting(connector);
	const adapt = (connector.canWait ? null : adapter?.(waiting)) ?? null;
	/** @type {(() => void)[]} */
	const withoutWasm = [];
	const probe = calls.get(POLL_WAITS);
	if (probe) {
		const before = probe.module[probe.key];
		probe.module[probe.key] = Object.assign(passingOver(program.heap32, isOpen)(before), before);
	}
	for (const [name, call] of Object.entries(connector.canWait ? { ...CALLS, ...waitingCalls(calls, program, connector) } : CALLS)) {
		const slot = calls.get(name);
		const polls = name === '__syscall_poll';
		const sleeps = name === EPOLL_WAITS || (polls && calls.has(POLL_WAITS));
		if (!slot) continue;
		const own = slot.module[slot.key];
		const asleep = () => sleeps && Boolean(own.isAsync || asyncify());
		const make = polls ? passingOverAsleep(program.heap32, asleep, isOpen) : names[name];
		const before = make ? make(own) : own;
		if (sleeps && !connector.canWait) {
			slot.module[slot.key] = Object.assign(before, own);
			continue;
		}
		const concerns = call.concerns ?? (() => true);
		const makeOf = polls ? (/** @type {(...args: any[]) => any} */ poll) => onceForTime(2)(passingOver(program.heap32, isOpen)(poll)) : call.once ?? callOnce(program, call);
		const script = connector.canWait ? blocking(waiting.retry(makeOf(before)), waiting, connector, polls ? ([fds]) => interruptedPoll(exports(), connector, fds) : () => -ERRNO.EINTR)
			: make && !polls ? hookedName(scope, own, { make, makeOf, waiting, none: name.startsWith('__syscall') ? -1 : 0 }) : hooked(scope, own, makeOf, waiting);
		const waits = (/** @type {any[]} */ args) => concerns(program, args) || (alone && call.limit !== undefined && endsAlone(program, connector, call.limit(program, args)));
		const direct = (/** @type {any[]} */ ...args) => (waits(args) && !asleep() ? script : before)(...args);
		const put = (/** @type {any} */ value) => void (slot.module[slot.key] = Object.assign(value, own));
		put(direct);
		if (!adapt) continue;
		const { attempt, giveUp } = waiting.retry(makeOf(before));
		const suspends = (/** @type {any[]} */ args) => promising() && concerns(program, args);
		put(adapt({
			attempt: (args, ticket) => (ticket !== 0 || suspends(args) ? attempt(args, ticket) : { result: direct(...args), ticket: 0 }),
			giveUp,
		}, call.arity));
		withoutWasm.push(() => put(direct));
	}
	return () => {
		for (const undo of withoutWasm) undo();
	};
}

/**
 * Reports whether a wait without sockets of ours comes to an end: by its time or by a signal. Files and pipes
 * change by the program alone, which waits, or by its threads, whose calls may need this one.
 * @param {Program} program
 * @param {Connector} connector
 * @param {number} limit  milliseconds
 */
function endsAlone({ heap32 }, { interrupted }, limit) {
	const shared = typeof SharedArrayBuffer === 'function' && heap32().buffer instanceof SharedArrayBuffer;
	return limit > 0 && !shared && (limit < Infinity || interrupted !== undefined);
}

/** @param {Program} program @param {Call} call */
function callOnce(program, { flags }) {
	return (/** @type {(...args: any[]) => any} */ original) => /** @type {Make} */ ((args, retries, earlier) => {
		const outer = program.call;
		/** @type {import('./call.js').Call} */
		const call = { flags: flags === undefined ? 0 : args[flags], retries, wait: null, finished: earlier?.finished ?? [], begun: 0 };
		program.call = call;
		let result;
		try {
			result = original(...args);
		} catch (error) {
			// The operation's EAGAIN, in a call that does not turn errors into results.
			if (!call.wait) throw error;
		} finally {
			program.call = outer;
		}
		return { result, pause: call.wait && { until: call.wait.until, finished: call.finished } };
	});
}

/**
 * Operations wait by themselves here; what waits between attempts is poll(),
 * select() and epoll_wait().
 * @param {Retry} retry
 * @param {Waiting} waiting
 * @param {Connector} connector
 * @param {(args: any[]) => number} interrupted  the result of a call that a signal has ended
 */
const blocking = (retry, waiting, connector, interrupted) => (/** @type {any[]} */ ...args) => {
	let { result, ticket } = retry.attempt(args, 0);
	while (ticket !== 0) {
		if (connector.interrupted?.()) return retry.drop(ticket, interrupted(args));
		waiting.block(ticket);
		({ result, ticket } = retry.attempt(args, ticket));
	}
	return result;
};

/**
 * Makes the attempts of one call, for our js-library. `done` is called with the result, at once
 * if there is nothing to wait for.
 * @callback Attempts
 * @param {(...args: any[]) => any} original  the call without the sleep
 * @param {(result: any) => void} done
 * @param {any[]} [given]  arguments of the call; absent: it has them already
 */

/**
 * @template T
 * @param {any} scope
 * @param {Attempts} attempts
 * @param {() => T} run
 * @returns {T}
 */
function withHook(scope, attempts, run) {
	const outer = scope[HOOK];
	scope[HOOK] = attempts;
	try {
		return run();
	} finally {
		if (outer === undefined) delete scope[HOOK];
		else scope[HOOK] = outer;
	}
}

/**
 * @param {Waiting} waiting
 * @param {Make} make
 * @param {any[]} args
 * @param {(result: any) => void} done
 * @returns {boolean}  whether it waits
 */
function attemptAll(waiting, make, args, done) {
	const { attempt } = waiting.retry(make);
	const next = (/** @type {number} */ earlier) => {
		const { result, ticket } = attempt(args, earlier);
		if (ticket === 0) done(result);
		else waiting.wait(ticket).then(() => next(ticket));
		return ticket !== 0;
	};
	return next(0);
}

/**
 * @param {any} scope
 * @param {(...args: any[]) => any} before
 * @param {(original: (...args: any[]) => any) => Make} makeOf
 * @param {Waiting} waiting
 */
function hooked(scope, before, makeOf, waiting) {
	const single = makeOf(before);
	return (/** @type {any[]} */ ...args) => withHook(scope, (original, done, given = []) => void attemptAll(waiting, makeOf(() => original(...given)), args, done), () => single(args, false, null).result);
}

/**
 * The same for a call that is more than the program's own: its parts are put around the call
 * without the sleep. A first call without arguments shows whether there is one, which fails at once.
 * @param {any} scope
 * @param {(...args: any[]) => any} own
 * @param {object} parts
 * @param {(before: (...args: any[]) => any) => (...args: any[]) => any} parts.make
 * @param {(original: (...args: any[]) => any) => Make} parts.makeOf
 * @param {Waiting} parts.waiting
 * @param {number} parts.none  the first argument of that call: no descriptor, or no pointer
 */
function hookedName(scope, own, { make, makeOf, waiting, none }) {
	const plain = makeOf(make(own));
	let asleep = false;
	return (/** @type {any[]} */ ...args) => {
		// ASYNCIFY calls again for the result.
		if (asleep) {
			asleep = false;
			return own(...args);
		}
		const nothing = args.map((value, i) => {
			const empty = i === 0 ? none : 0;
			return typeof value === 'bigint' ? BigInt(empty) : empty;
		});
		let sleeps = false;
		withHook(scope, (original, done) => {
			// A library of an earlier release gives functions that take no arguments.
			sleeps = original.length > 0;
			done(original(...nothing));
		}, () => own(...nothing));
		if (!sleeps) return plain(args, false, null).result;
		return withHook(scope, (original, done) => {
			asleep = attemptAll(waiting, makeOf(make(original)), args, done);
		}, () => own(...args));
	};
}
