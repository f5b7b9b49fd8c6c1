// The parts of an Emscripten program that the layer replaces, reduced to what it touches,
// and a connector whose sockets the test plays.

import { newCall } from '../../src/sockfs/calls/call.js';
import { Hosts } from '../../src/sockfs/names/hosts.js';

/** @typedef {import('../../src/sockfs/connector.js').Connector} Connector */
/** @typedef {import('../../src/sockfs/connector.js').Socket} Socket */

class ErrnoError extends Error {
	name = 'ErrnoError';

	/** @param {number} errno */
	constructor(errno) {
		super(`errno ${errno}`);
		this.errno = errno;
	}
}

const SOCKET_MODE = 49152;

/** One program, with SOCKFS's own operations recorded instead of done. */
export class FakeEmscripten {
	heap = new Int32Array(new ArrayBuffer(4096));
	/** @type {unknown[][]} */
	before = [];
	/** @type {unknown[][]} */
	emitted = [];
	/** @type {any[]} */
	streams = [];
	ErrnoError = ErrnoError;

	constructor() {
		const note = (/** @type {string} */ name, /** @type {any} */ answer = undefined) => (/** @type {any} */ sock, /** @type {any[]} */ ...args) => {
			this.before.push([name, ...args]);
			return typeof answer === 'function' ? answer(sock) : answer;
		};
		this.FS = {
			ErrnoError,
			getStream: (/** @type {number} */ fd) => this.streams[fd] ?? null,
			isSocket: (/** @type {number} */ mode) => mode === SOCKET_MODE,
		};
		this.SOCKFS = {
			stream_ops: /** @type {Record<string, any>} */ ({
				close: (/** @type {any} */ { node }) => node.sock.sock_ops.close(node.sock),
			}),
			emit: (/** @type {string} */ event, /** @type {unknown} */ param) => void this.emitted.push([event, param]),
			websocket_sock_ops: /** @type {Record<string, any>} */ ({
				connect: note('connect'),
				poll: note('poll', 5),
				ioctl: note('ioctl', 0),
				sendmsg: note('sendmsg', 1),
				recvmsg: note('recvmsg', () => {
					throw new ErrnoError(53);
				}),
				close: note('close', 0),
				bind: note('bind'),
				listen: note('listen'),
				accept: note('accept'),
			}),
		};
	}

	get ops() {
		return this.SOCKFS.websocket_sock_ops;
	}

	call = newCall();
	hosts = new Hosts();
	/** @type {((stream: any, fd?: number) => number) | undefined} */
	clone;

	/** @returns {import('../../src/sockfs/program/program.js').Program} */
	get program() {
		return {
			call: this.call,
			hosts: this.hosts,
			ops: this.ops,
			ErrnoError,
			sockOf: (fd) => this.streams[fd]?.node.sock ?? null,
			heap32: () => this.heap,
			streamOps: this.SOCKFS.stream_ops,
			emit: this.SOCKFS.emit,
		};
	}

	/**
	 * A socket as createSocket() makes it.
	 * @param {{ type?: number, nonblocking?: boolean }} [options]
	 */
	socket({ type = 1, nonblocking = true } = {}) {
		const sock = /** @type {any} */ ({ family: 2, type, protocol: 0, server: null, error: null, peers: {}, sock_ops: this.ops });
		const fd = this.streams.length;
		const node = /** @type {any} */ ({ mode: SOCKET_MODE });
		node.sock = sock;
		sock.stream = { fd, node, flags: nonblocking ? 2 | 2048 : 2 };
		sock.stream.stream_ops = this.SOCKFS.stream_ops;
		this.streams.push(sock.stream);
		return sock;
	}

	/** dup() as FS does it. @param {number} fd */
	dup(fd) {
		const stream = { ...this.streams[fd], fd: this.streams.length };
		this.streams.push(stream);
		stream.stream_ops.dup?.(stream);
		return stream.fd;
	}

	/** close() as FS does it. @param {number} fd */
	close(fd) {
		const stream = this.streams[fd];
		stream.stream_ops.close(stream);
		this.streams[fd] = null;
		stream.fd = null;
	}

	/** The errno that an operation fails with, or 0. @param {() => unknown} run */
	errno(run) {
		try {
			run();
			return 0;
		} catch (error) {
			if (error instanceof ErrnoError) return error.errno;
			throw error;
		}
	}
}

/** @implements {Socket} */
export class FakeSocket {
	/** @type {'connecting' | 'open' | 'closed'} */
	state = 'connecting';
	error = 0;
	errorText = '';
	/** @type {Buffer} */
	incoming = Buffer.alloc(0);
	fin = false;
	room = 8;
	/** @type {Buffer[]} */
	sent = [];
	/** @type {string[]} */
	calls = [];
	/** @type {{ addr: string, port: number } | null} */
	local = null;
	/** @type {{ addr: string, port: number } | null} */
	remote = null;

	/** @param {any} target @param {any} tell */
	constructor(target, tell) {
		this.target = target;
		this.tell = tell;
	}

	get available() {
		return this.incoming.length;
	}

	get ended() {
		return this.fin;
	}

	get eof() {
		return this.fin && this.incoming.length === 0;
	}

	get writable() {
		return this.room > 0;
	}

	clearError() {
		this.error = 0;
	}

	/** @param {number} max */
	recv(max) {
		const bytes = this.peek(max);
		if (bytes) this.incoming = this.incoming.subarray(bytes.length);
		return bytes;
	}

	/** @param {number} max */
	peek(max) {
		return this.incoming.length === 0 ? null : Uint8Array.from(this.incoming.subarray(0, max));
	}

	/** @param {Uint8Array} bytes @param {boolean} [all] */
	send(bytes, all) {
		const count = all ? bytes.length : Math.min(bytes.length, this.room);
		this.sent.push(Buffer.from(bytes.subarray(0, count)));
		this.room = Math.max(0, this.room - count);
		return count;
	}

	/** @param {number} how */
	shutdown(how) {
		this.calls.push(`shutdown ${how}`);
	}

	close() {
		this.calls.push('close');
	}

	reset() {
		this.calls.push('reset');
	}

	/** @param {import('../../src/sockfs/connector.js').SocketOptions} options */
	setOptions(options) {
		this.calls.push(`options ${JSON.stringify(options)}`);
	}

	get text() {
		return Buffer.concat(this.sent).toString();
	}
}

/** @implements {Connector} */
export class FakeConnector {
	alive = true;
	binds = false;
	/** @type {FakeSocket[]} */
	sockets = [];
	/** @type {number[]} */
	waits = [];
	/** @type {(() => boolean) | undefined} */
	interrupted;
	/** What happens while the program waits, a step each time. @type {(() => void)[]} */
	meanwhile = [];

	/** @param {boolean} canWait */
	constructor(canWait) {
		this.canWait = canWait;
	}

	/** @type {Set<() => void>} */
	listeners = new Set();

	/** @param {() => void} listener */
	onchange(listener) {
		this.listeners.add(listener);
		return () => void this.listeners.delete(listener);
	}

	/** @param {any} target @param {any} [tell] */
	connect(target, tell) {
		const socket = new FakeSocket(target, tell);
		this.sockets.push(socket);
		return socket;
	}

	/** @param {number} milliseconds */
	wait(milliseconds) {
		this.waits.push(milliseconds);
		const step = this.meanwhile.shift();
		if (!step) throw new Error('the program would wait for ever');
		step();
		return true;
	}
}
