// Both halves of the calls of pthreads, in one thread: what the program's proxied call
// does between them is a function here.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Cells, Common } from '../../src/sockfs/threads/cells.js';
import { serveThreads } from '../../src/sockfs/threads/page.js';
import { patchThread } from '../../src/sockfs/threads/thread.js';
import { MEMORY_BYTES } from '../../src/sockfs/threads/threads.js';
import { newCall } from '../../src/sockfs/calls/call.js';

const EAGAIN = 6;
const EBADF = 8;

/** A program of two threads. `own` are the functions of its library, `big`: numbers of proxied calls are marked. */
function makeProgram({ own = {}, big = false, pageHalf = true, old = false } = {}) {
	class ErrnoError extends Error {
		/** @param {number} errno */
		constructor(errno) {
			super();
			this.errno = errno;
		}
	}
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
	/** @type {any[][]} */
	const log = [];
	/** @type {any} */
	const library = {
		__syscall_connect: (/** @type {any[]} */ ...args) => {
			log.push(['connect', ...args]);
			return -EBADF;
		},
		__syscall_socket: () => 5,
		...own,
	};
	/** @type {any} */
	const page = { env: { memory, ...library } };
	const receive = (/** @type {number[]} */ ...args) => {
		log.push(['proxied', args[old ? 2 : 4]]);
		return -EBADF;
	};
	const receiveName = old ? 'emscripten_receive_on_main_thread_js' : '_emscripten_receive_on_main_thread_js';
	page.env[receiveName] = receive;
	/** What a proxied call does. @param {string} name */
	const proxied = (name) => (/** @type {any[]} */ ...args) => {
		if (name !== '__syscall_connect') return log.push(['proxy', name, ...args]) && library[name](...args);
		const at = 1024;
		const doubles = new Float64Array(memory.buffer, at, 12);
		args.forEach((value, i) => {
			if (big) doubles[2 * i] = 0;
			doubles[big ? 2 * i + 1 : i] = value;
		});
		return old ? page.env[receiveName](1, args.length, at) : page.env[receiveName](1, 0, 77, args.length * 8, at);
	};
	const worker = { env: { memory, ...Object.fromEntries(Object.keys(library).map((name) => [name, proxied(name)])) } };
	const threads = { common: new SharedArrayBuffer(MEMORY_BYTES), cells: new Map([[1, new SharedArrayBuffer(MEMORY_BYTES)]]), recognize: () => null, stop() {} };
	/** @type {any} */
	const program = {
		ErrnoError, call: newCall(), heap32: () => new Int32Array(memory.buffer),
		sockOf: (/** @type {number} */ fd) => (fd === 5 ? { fd } : null),
		ops: {},
	};
	if (pageHalf) serveThreads({ imports: page, calls: new Map() }, { program, threads }).socketsMade();
	const common = new Common(threads.common);
	patchThread(worker, { id: 1, common, cells: new Cells(/** @type {SharedArrayBuffer} */ (threads.cells.get(1))) });
	return { env: /** @type {any} */ (worker.env), page: page.env, program, log, common, memory, ErrnoError };
}

describe('a call of a thread', () => {
	for (const [title, options] of /** @type {const} */ ([['as in Emscripten 4 and later', { big: true }], ['without BigInts', {}], ['as in Emscripten 3', { old: true }]])) {
		test(`is made in the page's thread: ${title}`, () => {
			const { env, log } = makeProgram({ ...options, own: { __syscall_connect: (/** @type {any[]} */ ...args) => args.length } });
			env.__syscall_socket(2, 1, 0);
			assert.equal(env.__syscall_connect(5, 8, 16, 0, 0, 0), 6);
			assert.deepEqual(log, []);
		});
	}

	test('a duplicate that fcntl() makes is a socket too, one of a file is none', () => {
		const { env, common } = makeProgram({ own: { __syscall_fcntl64: (/** @type {number} */ fd) => fd + 20 } });
		env.__syscall_socket(2, 1, 0);
		const F_DUPFD = 0;
		const F_GETFL = 3;
		env.__syscall_fcntl64(5, F_GETFL, 0);
		assert.equal(common.maySocket(25), false);
		assert.equal(env.__syscall_fcntl64(5, F_DUPFD, 0), 25);
		env.__syscall_fcntl64(1, F_DUPFD, 0);
		assert.deepEqual([common.maySocket(25), common.maySocket(21)], [true, false]);
	});

	test('is made again after a change, until it is final, with what the operation must know', () => {
		/** @type {any[]} */
		const calls = [];
		const made = makeProgram({
			own: {
				__syscall_recvfrom: () => {
					calls.push({ ...made.program.call });
					if (calls.length < 3) {
						made.program.call.wait = { until: performance.now() + (calls.length === 1 ? 5 : Infinity) };
						if (calls.length === 2) made.common.changed();
						return -EAGAIN;
					}
					return 4;
				},
			},
		});
		made.env.__syscall_socket(2, 1, 0);
		assert.equal(made.env.__syscall_recvfrom(5, 0, 9, 64, 0, 0), 4);
		assert.deepEqual(calls, Array(3).fill({ flags: 64, retries: true, wait: null, thread: 1 }));
		assert.deepEqual(made.program.call, newCall());
	});

	test('of another descriptor is the program\'s own', () => {
		const { env, log } = makeProgram({ own: { fd_write: () => 0, __syscall_recvfrom: () => 1 } });
		assert.equal(env.fd_write(1, 0, 1, 0), 0);
		assert.equal(env.__syscall_recvfrom(4, 0, 1, 0, 0, 0), 1);
		assert.deepEqual(log.map(([, name]) => name), ['fd_write', '__syscall_recvfrom']);
	});

	test('without the page\'s half is the program\'s own, and it is not asked for again', () => {
		const { env, log } = makeProgram({ pageHalf: false });
		assert.equal(env.__syscall_socket(2, 1, 0), 5);
		assert.equal(env.__syscall_socket(2, 1, 0), 5);
		assert.deepEqual(log.map(([kind]) => kind), ['proxied', 'proxy', 'proxy']);
	});

	test('sockets of the page\'s thread are known to the others', () => {
		const { page, common } = makeProgram();
		page.__syscall_socket(2, 1, 0);
		assert.equal(common.maySocket(5), true);
	});
});

describe('readv and writev', () => {
	/** @param {Parameters<typeof makeProgram>[0]} options @param {any} ops */
	const withVector = (options, ops) => {
		const made = makeProgram({ ...options, own: { fd_read: () => 99, fd_write: () => 99 } });
		Object.assign(made.program.ops, ops);
		made.env.__syscall_socket(2, 1, 0);
		new Uint32Array(made.memory.buffer, 64, 6).set([256, 3, 300, 0, 320, 4]);
		const done = new Uint32Array(made.memory.buffer, 128, 1);
		return { ...made, done };
	};

	test('a read waits for its first piece only', () => {
		const bytes = new TextEncoder().encode('abcde');
		/** @type {number[]} */
		const flags = [];
		let taken = 0;
		const made = withVector({}, {
			recvmsg(/** @type {unknown} */ _, /** @type {number} */ length) {
				flags.push(made.program.call.flags);
				const buffer = bytes.subarray(taken, taken + length);
				taken += buffer.length;
				return { buffer };
			},
		});
		assert.equal(made.env.fd_read(5, 64, 3, 128), 0);
		assert.equal(made.done[0], 5);
		assert.equal(new TextDecoder().decode(new Uint8Array(made.memory.buffer, 256, 3).slice()), 'abc');
		assert.equal(new TextDecoder().decode(new Uint8Array(made.memory.buffer, 320, 2).slice()), 'de');
		assert.deepEqual(flags, [0, 64]);
	});

	test('a write sends its pieces together', () => {
		/** @type {string[]} */
		const sent = [];
		const made = withVector({}, {
			sendmsg(/** @type {unknown} */ _, /** @type {Uint8Array} */ bytes, /** @type {number} */ at, /** @type {number} */ length) {
				sent.push(new TextDecoder().decode(bytes.slice(at, at + length)));
				if (sent.length > 1) throw new made.ErrnoError(EAGAIN);
				return 3;
			},
		});
		new Uint8Array(made.memory.buffer, 256, 3).set(new TextEncoder().encode('abc'));
		new Uint8Array(made.memory.buffer, 320, 4).set(new TextEncoder().encode('defg'));
		assert.equal(made.env.fd_write(5, 64, 3, 128), 0);
		assert.equal(made.done[0], 3);
		assert.equal(made.env.fd_write(5, 64, 3, 128), EAGAIN);
		assert.deepEqual(sent, ['abcdefg', 'abcdefg']);
	});
});

describe('poll', () => {
	/** @param {() => number} look */
	const polling = (look) => {
		/** @type {number[]} */
		const timeouts = [];
		const made = makeProgram({
			own: {
				__syscall_poll: (/** @type {number[]} */ ...args) => {
					timeouts.push(args[2]);
					return look();
				},
			},
		});
		made.env.__syscall_socket(2, 1, 0);
		const fds = new Int32Array(made.memory.buffer, 64, 4);
		return { ...made, fds, timeouts };
	};

	test('waits for sockets', () => {
		let looks = 0;
		const made = polling(() => {
			if (++looks === 1) made.common.changed();
			return looks - 1;
		});
		made.fds[0] = 5;
		assert.equal(made.env.__syscall_poll(64, 1, -1), 1);
		assert.deepEqual(made.timeouts, [0, 0]);
	});

	test('ends with its time', () => {
		const made = polling(() => 0);
		made.fds[0] = 5;
		const begin = performance.now();
		assert.equal(made.env.__syscall_poll(64, 1, 30), 0);
		assert.ok(performance.now() - begin >= 29);
	});

	test('looks at other descriptors again and again', () => {
		let looks = 0;
		const made = polling(() => (++looks < 3 ? 0 : 1));
		made.fds[0] = 5;
		made.fds[2] = 4;
		assert.equal(made.env.__syscall_poll(64, 2, -1), 1);
	});

	test('of other descriptors alone is the program\'s own', () => {
		const made = polling(() => 1);
		made.fds[0] = 4;
		assert.equal(made.env.__syscall_poll(64, 1, 70), 1);
		assert.deepEqual(made.timeouts, [70]);
	});
});
