import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from '../../src/sockfs/program/instantiate.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { hiddenProgram } from '../../src/sockfs/program/program.js';
import { patchImports } from '../../src/sockfs/calls/syscalls.js';
import { FakeConnector } from '../fakes/emscripten.js';

const CALLS = ['socket', 'connect', 'bind', 'getsockname', 'getpeername', 'sendto', 'sendmsg', 'recvfrom', 'recvmsg', 'dup', 'dup3', 'fcntl64', 'ioctl', 'poll', 'shutdown', 'getsockopt', 'setsockopt'];
const ADDRESS = 64;
const BUFFER = 256;
const IOV = 128;
const MESSAGE = 192;
const OUT = 240;
const NAME = 400;
const NONBLOCKING = 1 | 2048;

/**
 * A program whose own calls are only noted; nothing in it has a name of SOCKFS's.
 * @param {Record<string, any>} [more]
 * @param {any} [exports]
 * @param {WebAssembly.Memory} [memory]
 */
function start(more = {}, exports = {}, memory = new WebAssembly.Memory({ initial: 1 })) {
	let next = 3;
	/** @type {unknown[][]} */
	const reached = [];
	const note = (/** @type {string} */ name, answer = 0) => (/** @type {any[]} */ ...args) => {
		reached.push([name, ...args]);
		return answer;
	};
	const env = {
		memory,
		...Object.fromEntries(CALLS.map((name) => [`__syscall_${name}`, note(name)])),
		__syscall_socket: () => next++,
		__syscall_dup: () => next++,
		__syscall_dup3: (/** @type {number} */ _, /** @type {number} */ fd) => fd,
		_emscripten_lookup_name: () => 0x0100_1dac, // 172.29.0.1
		...more,
	};
	const wasi = { fd_read: note('fd_read'), fd_write: note('fd_write'), fd_close: note('fd_close') };
	const { instance, made } = inspect({ env, wasi_snapshot_preview1: wasi });
	const connector = new FakeConnector(false);
	let found = 0;
	const program = hiddenProgram(instance, (shown) => {
		found++;
		patchOps(shown, connector);
	});
	patchImports(instance.calls, program, connector);
	made({ exports });
	const heap = new Uint8Array(memory.buffer);
	const view = new DataView(memory.buffer);
	heap.set([2, 0, 0, 80, 10, 0, 0, 7], ADDRESS);
	/** @type {Record<string, any>} */
	const calls = { ...wasi, ...Object.fromEntries(Object.entries(env).map(([name, call]) => [name.replace('__syscall_', ''), call])) };
	/** A socket that is open. */
	const open = () => {
		const fd = calls.socket(2, NONBLOCKING, 0);
		assert.equal(calls.connect(fd, ADDRESS, 16, 0, 0, 0), -26, 'in progress');
		const socket = connector.sockets[connector.sockets.length - 1];
		socket.state = 'open';
		socket.room = 100;
		return { fd, socket };
	};
	/** Two pieces of memory, of three and of five bytes. */
	const iov = () => {
		[BUFFER, 3, BUFFER + 8, 5].forEach((value, i) => view.setUint32(IOV + 4 * i, value, true));
		view.setUint32(MESSAGE + 8, IOV, true);
		view.setInt32(MESSAGE + 12, 2, true);
	};
	return { calls, connector, reached, program, heap, view, open, iov, found: () => found };
}

describe('a program whose SOCKFS has no names', () => {
	test('connects by the layer, and its own connect() is not reached', () => {
		const { calls, connector, reached, open, found } = start();
		const { fd } = open();
		calls.socket(2, 1, 0);
		assert.equal(found(), 1);
		assert.equal(connector.sockets.length, 1);
		assert.deepEqual(reached, []);
		assert.equal(calls.connect(fd, ADDRESS, 16, 0, 0, 0), -30, 'connected already');
		assert.equal(calls.connect(fd, ADDRESS, 7, 0, 0, 0), -28);
	});

	test('sends and receives in all forms', () => {
		const { calls, heap, view, open, iov } = start();
		const { fd, socket } = open();
		iov();
		heap.set(Buffer.from('abc'), BUFFER);
		heap.set(Buffer.from('defgh'), BUFFER + 8);
		assert.equal(calls.sendto(fd, BUFFER, 3, 0, 0, 0), 3);
		assert.equal(calls.sendmsg(fd, MESSAGE, 0, 0, 0, 0), 8);
		assert.equal(calls.fd_write(fd, IOV, 2, OUT), 0);
		assert.equal(view.getUint32(OUT, true), 8);
		assert.equal(Buffer.concat(socket.sent).toString(), 'abcabcdefghabcdefgh');

		socket.incoming = Buffer.from('0123456789');
		assert.equal(calls.recvfrom(fd, BUFFER, 2, 2, 0, 0), 2, 'a look ahead');
		assert.equal(calls.recvmsg(fd, MESSAGE, 0, 0, 0, 0), 8);
		assert.equal(Buffer.from(heap.subarray(BUFFER, BUFFER + 3)).toString(), '012');
		assert.equal(Buffer.from(heap.subarray(BUFFER + 8, BUFFER + 13)).toString(), '34567');
		assert.equal(calls.fd_read(fd, IOV, 2, OUT), 0);
		assert.equal(view.getUint32(OUT, true), 2);
		assert.equal(calls.fd_read(fd, IOV, 2, OUT), 6, 'EAGAIN, as WASI gives it');
		assert.equal(calls.recvfrom(fd, BUFFER, 2, 0, 0, 0), -6);
	});

	test('polls its sockets with other descriptors', () => {
		const { calls, view, reached, open } = start({ __syscall_poll: (/** @type {any[]} */ ...args) => {
			reached.push(args);
			return 1;
		} });
		const { fd, socket } = open();
		[fd, 99].forEach((value, i) => {
			view.setInt32(BUFFER + 8 * i, value, true);
			view.setInt16(BUFFER + 8 * i + 4, 1, true);
		});
		assert.equal(calls.poll(BUFFER, 2, 5000), 1);
		assert.deepEqual(reached.filter(([name]) => name !== 'fcntl64'), [[BUFFER + 8, 1, 0]]);
		socket.incoming = Buffer.from('x');
		assert.equal(calls.poll(BUFFER, 2, 0), 2);
		assert.equal(view.getInt16(BUFFER + 6, true), 1);
		view.setInt32(BUFFER, 98, true);
		assert.equal(calls.poll(BUFFER, 2, 70), 1);
		assert.deepEqual(reached.filter(([name]) => name !== 'fcntl64').at(-1), [BUFFER, 2, 70], 'a poll() of none of ours is the program\'s own');
	});

	test('keeps flags, addresses and options', () => {
		const { calls, view, heap, open } = start();
		const { fd } = open();
		assert.equal(calls.fcntl64(fd, 3, 0), 2050);
		view.setInt32(OUT, 0, true);
		calls.fcntl64(fd, 4, OUT);
		assert.equal(calls.fcntl64(fd, 3, 0), 2);
		view.setUint32(OUT, OUT + 4, true);
		view.setInt32(OUT + 4, 1, true);
		calls.ioctl(fd, 21537, OUT);
		assert.equal(calls.fcntl64(fd, 3, 0), 2050);
		assert.equal(calls.getpeername(fd, BUFFER, OUT, 0, 0, 0), 0);
		assert.deepEqual([...heap.slice(BUFFER, BUFFER + 8)], [2, 0, 0, 80, 10, 0, 0, 7]);
		const fresh = calls.socket(2, 1, 0);
		assert.equal(calls.getpeername(fresh, BUFFER, OUT, 0, 0, 0), -53);
		assert.equal(calls.bind(fresh, ADDRESS, 16, 0, 0, 0), 0);
		assert.equal(calls.bind(fresh, ADDRESS, 16, 0, 0, 0), -28);
		assert.equal(calls.getsockname(fresh, BUFFER, OUT, 0, 0, 0), 0);
		assert.deepEqual([...heap.slice(BUFFER, BUFFER + 8)], [2, 0, 0, 80, 10, 0, 0, 7]);
		view.setInt32(OUT, 1, true);
		assert.equal(calls.setsockopt(fresh, 6, 1, OUT, 4, 0), 0);
		assert.equal(calls.shutdown(fresh, 2, 0, 0, 0, 0), -53);
	});

	test('connects to the name behind an address of the fake DNS', () => {
		const { calls, connector, heap, view } = start();
		heap.set(Buffer.from('db.test\0'), NAME);
		assert.equal(calls._emscripten_lookup_name(NAME), 0x0100_1dac);
		heap.set([172, 29, 0, 1], ADDRESS + 4);
		const fd = calls.socket(2, NONBLOCKING, 0);
		calls.connect(fd, ADDRESS, 16, 0, 0, 0);
		assert.equal(connector.sockets[0].target.host, 'db.test');
		view.setInt32(OUT, 16, true);
		assert.equal(calls.getpeername(fd, BUFFER, OUT, 0, 0, 0), -53, 'there is none yet');
		connector.sockets[0].state = 'open';
		assert.equal(calls.getpeername(fd, BUFFER, OUT, 0, 0, 0), 0);
		assert.deepEqual([...heap.slice(BUFFER + 4, BUFFER + 8)], [172, 29, 0, 1]);
		connector.sockets[0].remote = { addr: '192.0.2.7', port: 80 };
		calls.getpeername(fd, BUFFER, OUT, 0, 0, 0);
		assert.deepEqual([...heap.slice(BUFFER + 4, BUFFER + 8)], [192, 0, 2, 7]);
	});

	test('ends a socket with the last of its descriptors', () => {
		const { calls, program, open } = start();
		const { fd, socket } = open();
		const second = calls.dup(fd);
		calls.dup3(fd, 40, 0);
		calls.fd_close(fd);
		calls.fd_close(second);
		assert.deepEqual(socket.calls, []);
		assert.equal(calls.fcntl64(40, 3, 0), 2050);
		calls.fd_close(40);
		assert.deepEqual(socket.calls, ['close']);
		assert.equal(program.sockOf(40), null);
	});

	test('keeps its own connections once the layer has gone', () => {
		const { calls, connector, reached } = start();
		const fd = calls.socket(2, 1, 0);
		connector.alive = false;
		calls.connect(fd, ADDRESS, 16, 0, 0, 0);
		calls.sendto(fd, BUFFER, 3, 0, 0, 0);
		assert.deepEqual(reached.map(([name]) => name), ['connect', 'sendto']);
	});

	test('has UDP as before', () => {
		const { calls, reached } = start();
		const fd = calls.socket(2, 2, 0);
		calls.sendto(fd, BUFFER, 3, 0, ADDRESS, 16);
		assert.deepEqual(reached, [['sendto', fd, BUFFER, 3, 0, ADDRESS, 16]]);
	});
});

for (const [what, more, exports, memory] of /** @type {[string, any, any, WebAssembly.Memory?][]} */ ([
	['select() of the program\'s own', { __syscall__newselect: () => 0 }, {}],
	['epoll', { __syscall_epoll_ctl: () => 0 }, {}],
	['callbacks of its sockets', { emscripten_set_socket_open_callback: () => 0 }, {}],
	['a poll() that suspends', { __syscall_poll: {} }, {}],
	['ASYNCIFY', {}, { asyncify_start_unwind() {} }],
	['threads', {}, {}, new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })],
])) {
	test(`one with ${what} keeps its own sockets`, () => {
		const { calls, reached, found } = start(more, exports, memory);
		const fd = calls.socket(2, 1, 0);
		calls.connect(fd, ADDRESS, 16, 0, 0, 0);
		assert.equal(found(), 0);
		assert.deepEqual(reached, [['connect', fd, ADDRESS, 16, 0, 0, 0]]);
	});
}
