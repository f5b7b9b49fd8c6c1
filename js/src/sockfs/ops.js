// SOCKFS's operations on TCP sockets, put over a connector. Everything else (UDP, listening, sockets of an earlier time) goes to the
// operations that were there before.

import { ERRNO, O_NONBLOCK, POLL, SOCK_STREAM } from './errno.js';

/** @typedef {import('./connector.js').Connector} Connector */
/** @typedef {import('./connector.js').Socket} Socket */

/** @typedef {import('./program.js').Program} Program */
/** @typedef {import('./program.js').Sock} Sock */

/** Our socket of a Sock. @type {WeakMap<object, Socket>} */
const sockets = new WeakMap();
/** Sockets whose program has ended its direction. @type {WeakSet<object>} */
const writeEnded = new WeakSet();
/** Sockets that were open once: connect() on one that never was begins anew. @type {WeakSet<object>} */
const opened = new WeakSet();

const FIONREAD = 21531;

/**
 * The connector's socket behind SOCKFS's, if it is one of ours.
 * @param {Sock} sock
 */
export const socketOf = (sock) => sockets.get(sock);

/**
 * Puts the operations in place. Returns what undoes it: for the earlier operations, our sockets are not connected.
 * @param {Program} program
 * @param {Connector} connector
 * @param {{ unasked?: boolean }} [options]  unasked: poll() reports POLLERR and POLLHUP, which nobody asks for (default: true). Emscripten's
 *   select() puts them into sets in which the program asked for nothing and counts them there; R takes a count above 1 for somebody else's event and looks
 *   again, for ever
 */
export function patchOps({ ops, ErrnoError, heap32, emit }, connector, { unasked = true } = {}) {
	const before = { ...ops };
	const fail = (/** @type {number} */ errno) => {
		throw new ErrnoError(errno);
	};

	/** Reports a pending error, once. @param {Socket} socket */
	const report = (socket) => {
		const { error } = socket;
		if (error === 0) return;
		socket.clearError();
		fail(error);
	};

	/** Waits where the program asked for a blocking socket and the thread may block. @param {Sock} sock @param {() => boolean} ready */
	const await_ = (sock, ready) => {
		while (!ready()) {
			if (!connector.canWait || sock.stream.flags & O_NONBLOCK) return false;
			connector.wait(Infinity);
		}
		return true;
	};

	/** @type {Record<string, (sock: Sock, ...args: any[]) => any>} */
	const patched = {
		connect(sock, addr, port) {
			if (sock.type !== SOCK_STREAM || sock.server || !connector.alive) return before.connect(sock, addr, port);
			const earlier = sockets.get(sock);
			if (earlier) {
				if (earlier.state === 'connecting') fail(ERRNO.EALREADY);
				if (opened.has(sock) || earlier.state === 'open') fail(ERRNO.EISCONN);
				report(earlier);
				earlier.close();
			}
			const tell = (/** @type {string} */ event) => emit(event, event === 'error' ? [sock.stream.fd, socket.error, socket.errorText] : sock.stream.fd);
			const socket = connector.connect({ host: addr, port }, tell);
			sockets.set(sock, socket);
			sock.daddr = addr;
			sock.dport = port;
			showState(sock, socket);
			if (await_(sock, () => socket.state !== 'connecting')) {
				report(socket);
				return noteOpen(sock, socket);
			}
			// Where nobody can wait, a blocking connect() succeeds at once, as SOCKFS's always does; the program sees the rest with poll().
			if (sock.stream.flags & O_NONBLOCK) fail(ERRNO.EINPROGRESS);
			return undefined;
		},

		poll(sock) {
			const socket = sockets.get(sock);
			if (!socket) return before.poll(sock);
			if (socket.state === 'connecting') return 0;
			if (socket.state === 'open') noteOpen(sock, socket);
			const ended = writeEnded.has(sock);
			let mask = 0;
			if (socket.available > 0) mask |= POLL.IN | POLL.RDNORM;
			if (socket.eof) mask |= POLL.IN | POLL.RDNORM | POLL.RDHUP;
			if (socket.error !== 0) mask |= POLL.IN | POLL.OUT | POLL.RDNORM | POLL.WRNORM | (unasked ? POLL.ERR | POLL.HUP : 0);
			if (unasked && (socket.state === 'closed' || (socket.eof && ended))) mask |= POLL.HUP;
			// A write to what cannot be written fails at once, so it does not block: POLLOUT.
			if (socket.room > 0 || ended || socket.state === 'closed') mask |= POLL.OUT | POLL.WRNORM;
			return mask;
		},

		ioctl(sock, request, arg) {
			const socket = sockets.get(sock);
			if (!socket || request !== FIONREAD) return before.ioctl(sock, request, arg);
			heap32()[arg >> 2] = socket.available;
			return 0;
		},

		sendmsg(sock, buffer, offset, length, addr, port) {
			const socket = sockets.get(sock);
			if (!socket) return before.sendmsg(sock, buffer, offset, length, addr, port);
			const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length) : new Uint8Array(buffer, offset, length);
			const unwritable = () => socket.error !== 0 || socket.state === 'closed' || writeEnded.has(sock);
			let sent = 0;
			do {
				if (unwritable()) {
					if (sent > 0) return sent;
					report(socket);
					fail(ERRNO.EPIPE);
				}
				const rest = bytes.subarray(sent);
				sent += socket.send(rest, !connector.canWait && !(sock.stream.flags & O_NONBLOCK));
				if (sent === length) return sent;
			} while (await_(sock, () => socket.room > 0 || unwritable()));
			return sent > 0 ? sent : fail(ERRNO.EAGAIN);
		},

		recvmsg(sock, length) {
			const socket = sockets.get(sock);
			if (!socket) return before.recvmsg(sock, length);
			const readable = () => socket.available > 0 || socket.eof || socket.error !== 0;
			if (!await_(sock, readable)) fail(ERRNO.EAGAIN);
			const bytes = socket.recv(length);
			if (bytes === null) {
				report(socket);
				return null;
			}
			return { buffer: bytes, addr: sock.daddr, port: sock.dport };
		},

		shutdown(sock, how) {
			const socket = sockets.get(sock);
			if (!socket) return before.shutdown ? before.shutdown(sock, how) : fail(ERRNO.ENOTCONN);
			if (socket.state !== 'open') fail(ERRNO.ENOTCONN);
			if (how !== 0) writeEnded.add(sock);
			socket.shutdown(how);
			return 0;
		},

		close(sock) {
			sockets.get(sock)?.close();
			sockets.delete(sock);
			return before.close(sock);
		},
	};

	for (const [name, operation] of Object.entries(patched)) if (before[name] || name === 'shutdown') ops[name] = operation;
	return () => {
		for (const name of Object.keys(patched)) {
			if (ops[name] !== patched[name]) continue;
			if (before[name]) ops[name] = before[name];
			else delete ops[name];
		}
	};
}

/**
 * SOCKFS keeps the state in fields of the socket and its system calls read them there: error is taken from ours from now on.
 * @param {Sock} sock
 * @param {Socket} socket
 */
function showState(sock, socket) {
	Object.defineProperty(sock, 'error', {
		configurable: true,
		enumerable: true,
		get: () => socket.error || null,
		set: (value) => {
			if (!value) socket.clearError();
		},
	});
	Object.defineProperty(sock, 'connecting', { configurable: true, enumerable: true, get: () => socket.state === 'connecting', set() {} });
}

/**
 * @param {Sock} sock
 * @param {Socket} socket
 */
function noteOpen(sock, socket) {
	if (opened.has(sock)) return;
	opened.add(sock);
	const { local } = socket;
	// getsockname() of SOCKFS knows IPv4 only.
	if (local && /^\d+\.\d+\.\d+\.\d+$/.test(local.addr) && sock.saddr === undefined) {
		sock.saddr = local.addr;
		sock.sport = local.port;
	}
}
