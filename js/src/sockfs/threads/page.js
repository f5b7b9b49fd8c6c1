// The page's half of the system calls of pthreads. Proxied calls of the program enter the
// page's thread through one import; those that come from our half in a worker are carried
// out here, all others as before.

import { CALLS, Cells, Common, STATE, threadBehind } from './cells.js';
import { findFunctions } from '../program/imports.js';
import { piecesOf, send, total } from '../calls/iovec.js';

/** @typedef {import('./threads.js').Threads} Threads */
/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {(...args: any[]) => any} Call */

/** Its name in Emscripten 4 and later, and before. */
const DOORS = ['_emscripten_receive_on_main_thread_js', 'emscripten_receive_on_main_thread_js'];

/**
 * Calls that may wait: the operations of SOCKFS see the caller's state in program.call.
 * The number is where their flags stand, -1: they have none.
 */
const WAITING = new Map(Object.entries({ __syscall_connect: -1, __syscall_bind: -1, __syscall_listen: -1, __syscall_accept4: -1, __syscall_sendto: 3, __syscall_sendmsg: 2, __syscall_recvfrom: 3, __syscall_recvmsg: 2, read: 3, write: 3, getaddrinfo: -1, getnameinfo: -1, gethostbyname: -1, _emscripten_lookup_name: -1 }));

/** Calls that others have replaced; the rest is the program's own. */
const REPLACED = new Set(['__syscall_socket', '__syscall_shutdown', '__syscall_setsockopt', '__syscall_getsockopt', '__syscall_dup', '__syscall_dup3', '__syscall_fcntl64', '__syscall_ioctl']);

const MAKES_SOCKETS = new Set(['__syscall_socket', '__syscall_accept4', '__syscall_dup', '__syscall_dup3']);

/**
 * Wakes the threads that wait, at every change of a socket. Returns what ends that, and
 * wakes them once more.
 * @param {Threads} threads
 * @param {import('../connector.js').Connector} connector
 * @returns {() => void}
 */
export function wakeThreads(threads, connector) {
	const common = new Common(threads.common);
	const wake = () => common.changed();
	const stop = connector.onchange?.(wake);
	return () => {
		stop?.();
		wake();
	};
}

/**
 * Serves the threads of one program. Must be called before it is instantiated, and before
 * other imports are replaced.
 * @param {Pick<import('../program/instantiate.js').Instance, 'imports' | 'calls'>} instance  calls: those whose functions may have been replaced, and then have other names
 * @param {object} parts
 * @param {Program} parts.program
 * @param {Threads} parts.threads
 * @param {Record<string, (before: Call) => Call>} [parts.replacements]  calls that are more than the program's own
 * @returns {{ socketsMade: () => void }}  socketsMade must be called once the other imports are replaced
 */
export function serveThreads({ imports, calls }, { program, threads, replacements = {} }) {
	const found = new Map([...findFunctions(imports, (name) => DOORS.includes(name) || CALLS.some((call) => call === name)), ...calls]);
	const door = found.get(DOORS[0]) ?? found.get(DOORS[1]);
	if (!door) return { socketsMade() {} };
	const common = new Common(threads.common);
	/**
	 * What one attempt calls: the program's own, which end in the operations.
	 * @type {Map<string, Call>}
	 */
	const own = new Map([...found].map(([name, { module, key }]) => [name, replacements[name]?.(module[key]) ?? module[key]]));
	/** As the wasm gets them. @param {string} name @returns {Call | undefined} */
	const current = (name) => {
		const slot = found.get(name);
		return slot && slot.module[slot.key];
	};
	const { heap32, sockOf } = program;

	/** Runs an operation as a system call. @param {() => number} run */
	const asCall = (run) => {
		try {
			return run();
		} catch (error) {
			if (program.ErrnoError && error instanceof program.ErrnoError) return -(/** @type {any} */ (error).errno);
			throw error;
		}
	};
	/** @type {Record<string, (...args: any[]) => number | undefined>} */
	const pieces = {
		read: (fd, at, length) => {
			const sock = sockOf(fd);
			if (!sock || !program.ops) return undefined;
			return asCall(() => {
				const got = program.ops.recvmsg(sock, length, program.call.flags);
				if (!got) return 0;
				new Uint8Array(heap32().buffer).set(got.buffer, at);
				return got.buffer.length;
			});
		},
		write: (fd, vector, count) => {
			const sock = sockOf(fd);
			if (!sock || !program.ops) return undefined;
			const list = piecesOf(new DataView(heap32().buffer), vector, count);
			return total(list) === 0 ? 0 : asCall(() => send(program, sock, list));
		},
	};

	/**
	 * @param {string} name
	 * @param {any[]} args
	 * @returns {number | undefined}  undefined: it is the program's own business
	 */
	const run = (name, args) => {
		if (pieces[name]) return pieces[name](...args);
		const call = REPLACED.has(name) ? current(name) : own.get(name);
		if (!call) return undefined;
		const result = asCall(() => call(...args));
		if (MAKES_SOCKETS.has(name) && result >= 0) common.markSocket(result);
		return result;
	};

	/** @param {Cells} cells @param {number} id */
	const serve = (cells, id) => {
		const { name, args } = cells.asked;
		const at = WAITING.get(name);
		const outer = program.call;
		/** @type {Program['call']} */
		const call = { flags: at === undefined || at < 0 ? 0 : Number(args[at]), retries: at !== undefined, wait: null, thread: id };
		program.call = call;
		try {
			const result = run(name, args);
			if (result === undefined) cells.decline();
			else cells.answer(Number(result), call.wait ? Math.max(0, call.wait.until - performance.now()) : null);
		} finally {
			program.call = outer;
		}
	};

	const before = door.module[door.key];
	// Emscripten keeps flags on its functions; the number of arguments is looked at too.
	const receive = (/** @type {any[]} */ ...args) => {
		// 3.x: index, count, args; later: index, code, thread, size, args.
		const at = Number(args.length > 3 ? args[4] : args[2]);
		const [one, two] = new Float64Array(heap32().buffer, at, 2);
		// With BigInts in the wasm, a zero stands before a number.
		const id = threadBehind(one === 0 ? two : one);
		const buffer = threads.cells.get(id);
		const cells = buffer && new Cells(buffer);
		if (cells?.state !== STATE.asked) return before(...args);
		serve(cells, id);
		return 0;
	};
	door.module[door.key] = Object.assign(receive, before);
	return {
		socketsMade() {
			for (const name of MAKES_SOCKETS) {
				const slot = found.get(name);
				if (!slot) continue;
				const made = slot.module[slot.key];
				slot.module[slot.key] = Object.assign((/** @type {any[]} */ ...args) => {
					const result = made(...args);
					if (result >= 0) common.markSocket(result);
					return result;
				}, made);
			}
		},
	};
}
