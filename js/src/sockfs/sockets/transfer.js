// send() and recv() in all their forms, and options: the rest of what programs do with a
// connection.

import { FIONREAD, MSG } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { address } from '../memory.js';
import { getOption, leastReceived, receiveTimeout, sendTimeout, serverOptions, setOption } from './options.js';
import { UNCONNECTED, readiness } from './readiness.js';
import { isFresh, recordOf } from './record.js';

/** @typedef {import('./ops.js').Parts} Parts */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {import('./record.js').SockRecord} SockRecord */

/** States of TCP as TCP_INFO gives them. */
const TCP = Object.freeze({ ESTABLISHED: 1, SYN_SENT: 2, CLOSE: 7, CLOSE_WAIT: 8 });

/**
 * @param {Parts} parts
 * @returns {Record<string, (sock: Sock, ...args: any[]) => any>}
 */
export function transferOps({ program, before, waiting, fail }) {
	/** Reports a pending error, once. @param {SockRecord} record */
	const report = (record) => {
		const error = record.takeError();
		if (error !== 0) fail(error);
	};

	return {
		poll(sock) {
			const record = recordOf(sock);
			const { socket } = record;
			if (!socket) return isFresh(sock) ? UNCONNECTED : before.poll(sock);
			if (socket.state === 'open') record.opened = true;
			return readiness(socket, record, leastReceived(record.options));
		},

		ioctl(sock, request, arg) {
			const { socket } = recordOf(sock);
			if (!socket || request !== FIONREAD) return before.ioctl(sock, request, arg);
			new DataView(program.heap32().buffer).setInt32(address(arg), socket.available, true);
			return 0;
		},

		sendmsg(sock, buffer, offset, length, addr, port) {
			const record = recordOf(sock);
			const { socket } = record;
			if (!socket) {
				if (!isFresh(sock)) return before.sendmsg(sock, buffer, offset, length, addr, port);
				report(record);
				fail(ERRNO.EPIPE);
				return 0;
			}
			const { flags } = program.call;
			const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length) : new Uint8Array(buffer, offset, length);
			const call = waiting.begin(sock, record, `send ${offset} ${length}`, flags);
			const { progress } = call;
			// A thread that cannot wait has every byte taken at once, as by SOCKFS.
			const all = call.blocking && !waiting.canBlock();
			const unwritable = () => socket.error !== 0 || socket.state === 'closed' || record.writeEnded;
			do {
				if (unwritable()) {
					if (progress.sent > 0) return progress.sent;
					report(record);
					fail(ERRNO.EPIPE);
				}
				progress.sent += socket.send(bytes.subarray(progress.sent), all);
				if (progress.sent === length) return length;
			} while (waiting.until(call, sendTimeout(record.options), () => socket.writable || unwritable()));
			return progress.sent > 0 ? progress.sent : fail(ERRNO.EAGAIN);
		},

		recvmsg(sock, length, flags = program.call.flags) {
			const record = recordOf(sock);
			const { socket } = record;
			if (!socket) return before.recvmsg(sock, length, flags);
			if (flags & MSG.OOB) fail(ERRNO.EINVAL);
			if (flags & MSG.ERRQUEUE) fail(ERRNO.EAGAIN);
			const message = (/** @type {Uint8Array} */ buffer) => ({ buffer, addr: sock.daddr, port: sock.dport });
			const call = waiting.begin(sock, record, 'receive', flags);
			const { pieces } = call.progress;
			const whole = Boolean(flags & MSG.WAITALL) && !(flags & MSG.PEEK);
			const least = whole ? length : Math.min(leastReceived(record.options), length);
			const atEnd = () => socket.eof || record.readEnded || record.error !== 0;
			let count = pieces.reduce((sum, piece) => sum + piece.length, 0);
			do {
				if (socket.available > 0) {
					const bytes = take(socket, length - count, flags);
					if (count === 0 && (bytes.length >= least || flags & (MSG.PEEK | MSG.TRUNC))) return message(bytes);
					pieces.push(bytes.slice());
					count += bytes.length;
				} else if (atEnd()) {
					if (count > 0) break;
					report(record);
					return null;
				}
				if (count > 0 ? count >= least : whole && length === 0) break;
			} while (waiting.until(call, receiveTimeout(record.options), () => socket.available > 0 || atEnd()));
			return count > 0 || (whole && length === 0) ? message(join(pieces, count)) : fail(ERRNO.EAGAIN);
		},

		setsockopt(sock, level, name, valuePtr, length) {
			const record = recordOf(sock);
			const { buffer } = program.heap32();
			const at = address(valuePtr);
			if (length < 0 || at + Number(length) > buffer.byteLength) fail(ERRNO.EINVAL);
			const errno = setOption(sock, record.options, { level, name, bytes: new DataView(buffer, at, Number(length)) });
			if (errno !== 0) fail(errno);
			const changed = serverOptions(record.options);
			if (changed && record.socket?.state !== 'closed') record.socket?.setOptions?.(changed);
			return 0;
		},

		getsockopt(sock, level, name, valuePtr, lengthPtr) {
			const record = recordOf(sock);
			const { buffer } = program.heap32();
			const view = new DataView(buffer);
			const { socket } = record;
			const takeError = () => {
				const error = record.takeError() || (socket ? 0 : sock.error ?? 0);
				if (!socket && error) sock.error = null;
				return error;
			};
			const state = !socket || socket.state === 'closed' ? TCP.CLOSE : socket.state === 'connecting' ? TCP.SYN_SENT : socket.eof ? TCP.CLOSE_WAIT : TCP.ESTABLISHED;
			const length = view.getInt32(address(lengthPtr), true);
			const value = getOption(sock, record.options, { level, name, length, state: { state, takeError } });
			if (typeof value === 'number') return fail(value);
			new Uint8Array(buffer).set(value, address(valuePtr));
			view.setInt32(address(lengthPtr), value.length, true);
			return 0;
		},
	};
}

/**
 * Takes bytes that are there.
 * @param {import('../connector.js').Socket} socket
 * @param {number} max
 * @param {number} flags
 */
function take(socket, max, flags) {
	const none = new Uint8Array(0);
	if (max === 0) return none;
	const bytes = (flags & MSG.PEEK ? socket.peek(max) : socket.recv(max)) ?? none;
	// On TCP the bytes are counted and not stored: no element, and the length that SOCKFS reads.
	return flags & MSG.TRUNC ? Object.defineProperty(none, 'byteLength', { value: bytes.length }) : bytes;
}

/** @param {Uint8Array[]} pieces @param {number} count */
function join(pieces, count) {
	const bytes = new Uint8Array(count);
	let at = 0;
	for (const piece of pieces) {
		bytes.set(piece, at);
		at += piece.length;
	}
	return bytes;
}
