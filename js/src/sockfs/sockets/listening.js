// bind(), listen() and accept(): a listener is a stream of records (docs/PROTOCOL.md, 5.4), and
// each connection that is accepted is a stream of its own. The stream binds the port as soon as it
// is open, and the server accepts connections from listen() on. So bind() opens it where it can wait
// for the answer. A socket that connects after bind() has no use for the port and gives it back.
// The server ends its direction when the port is free: only then another stream may bind it.

import { AF_INET, AF_INET6, POLL, SOCK_STREAM } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import * as KIND from '../../wire/generated/kind.js';
import { Records, backlogBytes } from '../../tunnel/incoming.js';
import { joinHostPort } from '../../tunnel/target.js';
import { mapped } from '../../tunnel/ip.js';
import { peerMaker, teller } from './connecting.js';
import { isV6Only, receiveTimeout } from './options.js';
import { recordOf, showState } from './record.js';
import { Server } from './server.js';

/** @typedef {import('./ops.js').Parts} Parts */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {import('./record.js').SockRecord} SockRecord */

const ANY = '0.0.0.0';
const READ = POLL.IN | POLL.RDNORM;

/**
 * Returns the operations of listeners over those of connections.
 * @param {Parts} parts
 * @param {Record<string, (sock: Sock, ...args: any[]) => any>} others
 * @returns {Record<string, (sock: Sock, ...args: any[]) => any>}
 */
export function listeningOps(parts, others) {
	const { program, connector, before, waiting, fail } = parts;
	const tell = teller(parts);
	const peerOf = peerMaker(parts);
	/** An operation that a listener has not. @param {string} name @param {number} errno */
	const except = (name, errno) => (/** @type {Sock} */ sock, /** @type {any[]} */ ...args) => (recordOf(sock).listener ? fail(errno) : others[name](sock, ...args));

	/** Takes in the records that have come. @param {SockRecord} record */
	const queueOf = (record) => {
		const { socket, listener } = record;
		for (let bytes; (bytes = socket?.recv(1 << 16));) listener?.put(bytes);
		return listener?.queue ?? [];
	};

	/** @param {SockRecord} record */
	const readyToAccept = (record) => queueOf(record).length > 0 || record.error !== 0 || record.socket?.state === 'closed';

	/** Streams of listeners that have ended, until the server says so. @type {Set<import('../connector.js').Socket>} */
	const leaving = new Set();

	/** @param {import('../connector.js').Socket | null} socket */
	const leave = (socket) => {
		if (!socket) return;
		socket.shutdown(1);
		leaving.add(socket);
	};

	/** Whether the ports of ended listeners are free. */
	const allFree = () => {
		for (const socket of leaving) {
			if (!socket.ended) continue;
			socket.close();
			leaving.delete(socket);
		}
		return leaving.size === 0;
	};

	/** Opens the stream of a listener. @param {Sock} sock @param {SockRecord} record */
	const open = (sock, record) => {
		const six = sock.family === AF_INET6;
		const host = sock.saddr ?? (six ? '::' : ANY);
		/** @type {import('../connector.js').Target} */
		const target = { kind: KIND.listen, host, port: record.anyPort ? 0 : sock.sport ?? 0, ...(six && isV6Only(record.options) && { family: 6 }) };
		const socket = connector.connect(target, (event) => {
			if (record.socket !== socket) return;
			tell(sock, record, event === 'message' ? 'connection' : event);
			sock.server?.tell(event);
		});
		return socket;
	};

	/** Gives back what bind() has bound at the server. @param {SockRecord} record */
	const release = (record) => {
		leave(record.claim);
		record.claim = null;
	};

	/** The socket listens no more. @param {Sock} sock @param {SockRecord} record */
	const stop = (sock, record) => {
		leave(record.socket);
		record.drop();
		sock.server = null;
	};

	return {
		...others,

		bind(sock, addr, port) {
			if (sock.type !== SOCK_STREAM || !connector.alive) return others.bind(sock, addr, port);
			const record = recordOf(sock);
			// It waits for the server's answer, whatever O_NONBLOCK says: Linux answers at once.
			const call = { ...waiting.begin(sock, record, 'bind'), blocking: true };
			if (!call.resumed) {
				others.bind(sock, addr, port);
				if (!waiting.canBlock() || !connector.binds) return undefined;
			}
			waiting.until(call, Infinity, allFree);
			const claim = record.claim ??= open(sock, record);
			if (!waiting.until(call, Infinity, () => claim.state !== 'connecting')) return undefined;
			const { local, error } = claim;
			if (claim.state === 'open') {
				if (local && addr === ANY) sock.saddr = local.addr;
				sock.sport = local?.port ?? sock.sport;
				record.anyPort = false;
				return undefined;
			}
			claim.clearError();
			release(record);
			// A client that binds before connect() may have any port, and the server gives none:
			// listen() fails.
			if (record.anyPort && error === ERRNO.EACCES) return undefined;
			record.anyPort = false;
			sock.saddr = undefined;
			sock.sport = undefined;
			return fail(error || ERRNO.ECONNABORTED);
		},

		listen(sock, backlog) {
			if (sock.type !== SOCK_STREAM || !connector.alive || !program.create) return before.listen(sock, backlog);
			const record = recordOf(sock);
			const call = { ...waiting.begin(sock, record, 'listen'), blocking: true }; // as bind()
			if (record.socket && !record.listener) fail(ERRNO.EINVAL);
			if (!record.socket) {
				waiting.until(call, Infinity, allFree); // where it can wait
				if (record.claim?.state !== 'open') release(record);
				record.socket = record.claim ?? open(sock, record);
				record.claim = null;
				record.listener = new Records();
				showState(sock, record);
				if (record.anyPort) record.bound.port = 0; // shown as soon as the server has told it
				sock.server = new Server(sock, record.socket, () => readyToAccept(record));
			}
			const { socket } = record;
			socket.send(backlogBytes(backlog), true);
			if (!waiting.until(call, Infinity, () => socket.state !== 'connecting')) return 0; // accept() tells what came of it
			if (socket.state === 'open') return 0;
			const error = record.takeError() || ERRNO.ECONNABORTED;
			stop(sock, record);
			return fail(error);
		},

		accept(sock) {
			const record = recordOf(sock);
			if (!record.listener) return sock.type === SOCK_STREAM ? before.accept(sock) : fail(ERRNO.ENOTSUP);
			const call = waiting.begin(sock, record, 'accept');
			waiting.until(call, receiveTimeout(record.options), () => readyToAccept(record));
			const queue = queueOf(record);
			// Behind its error a listener that has ended listens no more: programs, such as R, take
			// ECONNABORTED for the end of one connection, and try again.
			if (queue.length === 0) return fail(record.takeError() || (record.socket?.state === 'closed' ? ERRNO.EINVAL : ERRNO.EAGAIN));
			// SOCKFS makes none of IPv6.
			const made = program.create?.(AF_INET, sock.type, sock.protocol);
			if (!made) return fail(ERRNO.EMFILE);
			made.family = sock.family;
			const next = /** @type {import('../../tunnel/incoming.js').Incoming} */ (queue.shift());
			const own = recordOf(made);
			const socket = connector.connect({ kind: KIND.accept, host: '', port: next.number, name: joinHostPort(next.addr, next.port) }, (event) => {
				if (own.socket === socket) tell(made, own, event);
			});
			Object.assign(made, { daddr: sock.family === AF_INET6 ? mapped(next.addr) : next.addr, dport: next.port, saddr: sock.saddr, sport: sock.sport });
			own.socket = socket;
			own.peer = peerOf(made, made.daddr, next.port) ?? null;
			own.peer?.carry(socket);
			own.promised = true; // it is connected, whatever has become of it
			showState(made, own);
			return made;
		},

		poll(sock) {
			const record = recordOf(sock);
			if (!record.listener) return others.poll(sock);
			return readyToAccept(record) ? READ | (record.error ? POLL.ERR : 0) : 0;
		},

		connect(sock, ...args) {
			const record = recordOf(sock);
			if (record.listener) fail(ERRNO.EISCONN);
			release(record);
			return others.connect(sock, ...args);
		},

		/** Both directions of a listener are one: it listens until its reading end is shut. */
		shutdown(sock, how) {
			const record = recordOf(sock);
			if (!record.listener || how < 0 || how > 2) return others.shutdown(sock, how);
			if (how !== 1) stop(sock, record);
			return 0;
		},

		disconnect(sock) {
			const record = recordOf(sock);
			if (!record.listener) return others.disconnect(sock);
			stop(sock, record);
			return 0;
		},

		close(sock) {
			const record = recordOf(sock);
			release(record);
			if (record.listener) stop(sock, record);
			return others.close(sock);
		},

		sendmsg: except('sendmsg', ERRNO.EPIPE),
		recvmsg: except('recvmsg', ERRNO.ENOTCONN),
	};
}
