// connect() and the end of connections.

import { O_NONBLOCK, POLL, SOCK_STREAM } from '../flags.js';
import { destination } from '../names/names.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { dropsAtClose, sendTimeout, serverOptions } from './options.js';
import { hasPeers, makePeer } from './peer.js';
import { SHUTDOWN, ROOM } from './readiness.js';
import { recordOf, showState } from './record.js';

/** @typedef {import('../connector.js').SocketEvent} SocketEvent */
/** @typedef {import('./ops.js').Parts} Parts */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {import('./record.js').SockRecord} SockRecord */

/**
 * What gethostbyname() of Emscripten 4 and later gives for a name that does not exist.
 * The dial then fails by the name's reason.
 */
const ANY = '0.0.0.0';

/** The ports from which Linux takes one for bind() to port 0. */
const EPHEMERAL = Object.freeze({ first: 32768, last: 60999 });

function ephemeralPort() {
	const { first, last } = EPHEMERAL;
	return first + Math.floor(Math.random() * (last - first + 1));
}

/**
 * Wakes poll() and epoll of programs that wait in them (Emscripten 6).
 * @param {Sock} sock
 * @param {number} events  POLL_*
 */
const notify = (sock, events) => sock.stream?.node?.notifyListeners?.(events);

/**
 * Returns what tells SOCKFS, the program and what listens to its peer of an event. `connection`: a
 * listener has one to accept.
 * @param {Pick<Parts, 'program'>} parts
 */
export const teller = ({ program }) =>
	/**
	 * @param {Sock} sock
	 * @param {SockRecord} record
	 * @param {SocketEvent | 'connection'} event
	 */
	(sock, { peer, socket }, event) => {
		if (event === 'room') {
			notify(sock, ROOM);
			return peer?.fire('open');
		}
		// SOCKFS has announced one end already; who waits for room must see this one.
		if (event === 'end') return peer?.fire('close');
		const { emit } = program;
		if (emit && socket) emit(event, event === 'error' ? [sock.stream.fd, socket.error, socket.errorText] : sock.stream.fd);
		if (event === 'connection') return notify(sock, SHUTDOWN);
		if (!emit) peer?.handle(event);
		const heard = waitedFor(event, socket);
		return heard && peer?.fire(heard);
	};

/**
 * What listens to a peer waits for what it can do: to write, to read, or for the end of all. php-wasm
 * takes a wait that ended without that for one whose time was up.
 * @param {import('./peer.js').PeerEvent} event
 * @param {SockRecord['socket']} socket
 * @returns {import('./peer.js').PeerEvent | null}
 */
function waitedFor(event, socket) {
	if (event === 'open' && !socket?.writable) return null; // "room" will follow
	// A FIN is read, and does not end the other direction.
	return event === 'close' && socket?.state !== 'closed' ? 'message' : event;
}

/**
 * Returns what makes the peer of a connection: null where connections have none, undefined where the
 * page gives SOCKFS a WebSocket or a URL of its own.
 * @param {Pick<Parts, 'program' | 'connector' | 'before'>} parts
 */
export const peerMaker = ({ program, connector, before }) =>
	/** @param {Sock} sock @param {string} host @param {number} port */
	(sock, host, port) => {
		if (!hasPeers(connector, before)) return null;
		return makePeer(program.ops, sock, host, port) ?? undefined;
	};

/**
 * @param {Parts} parts
 * @returns {Record<string, (sock: Sock, ...args: any[]) => any>}
 */
export function connectingOps({ program, connector, before, waiting, fail }) {
	const tell = teller({ program });
	const peerOf = peerMaker({ program, connector, before });

	/**
	 * Begins a connection.
	 * @param {Sock} sock
	 * @param {SockRecord} record
	 * @param {string} host
	 * @param {number} port
	 * @returns {boolean}  false: SOCKFS has made one of its own
	 */
	const begin = (sock, record, host, port) => {
		const peer = peerOf(sock, host, port);
		if (peer === undefined) return false;
		const socketOptions = serverOptions(record.options);
		const named = host === ANY && program.missing ? program.missing : destination(program.hosts.nameOf(host));
		const target = { host: named, port, ...(socketOptions && { socketOptions }) };
		const socket = connector.connect(target, (event) => {
			if (record.socket === socket) tell(sock, record, event);
		});
		record.drop();
		Object.assign(record, { socket, peer });
		peer?.carry(socket);
		sock.daddr = host;
		sock.dport = port;
		showState(sock, record);
		return true;
	};

	/** Forgets a connection; the descriptor stays. @param {Sock} sock @param {SockRecord} record */
	const drop = (sock, record) => {
		const { socket, peer } = record;
		record.drop();
		socket?.close();
		if (peer) before.removePeer?.(sock, { addr: sock.daddr, port: sock.dport });
		sock.daddr = undefined;
		sock.dport = undefined;
	};

	/**
	 * Carries on with a connection that is there already; throws where connect() fails.
	 * @param {Sock} sock
	 * @param {SockRecord} record
	 * @param {boolean} resumed  this call has begun it
	 */
	const resume = (sock, record, resumed) => {
		const { socket } = record;
		if (!socket || socket.state === 'connecting') return;
		if (socket.state === 'open') record.opened = true;
		if (record.opened) {
			if (!resumed) fail(ERRNO.EISCONN);
			return;
		}
		// It has failed. Where connect() has promised success, the program has not seen
		// that it has not come.
		const error = record.promised ? 0 : record.takeError() || ERRNO.ECONNABORTED;
		drop(sock, record);
		if (error !== 0) fail(error);
	};

	return {
		connect(sock, addr, port) {
			if (sock.type !== SOCK_STREAM || sock.server || !connector.alive) return before.connect(sock, addr, port);
			const record = recordOf(sock);
			const blocking = waiting.begin(sock, record, 'connect');
			const { resumed } = blocking;
			resume(sock, record, resumed);
			if (record.opened) return undefined;
			// connect() has said 0 too early. A call for another target begins anew.
			if (record.promised && record.socket && (addr !== sock.daddr || port !== sock.dport)) drop(sock, record);
			if (record.socket) {
				if (!resumed && (!blocking.blocking || !waiting.canBlock())) fail(ERRNO.EALREADY);
			} else {
				if (port === 0) fail(ERRNO.ECONNREFUSED);
				record.pending = 0;
				if (!begin(sock, record, addr, port)) {
					connector.report?.(`the socket to ${addr}:${port} stays SOCKFS's own, because the page gives it a WebSocket or a URL of its own`);
					return before.connect(sock, addr, port);
				}
			}
			const { socket } = record;
			if (socket && waiting.until(blocking, sendTimeout(record.options), () => socket.state !== 'connecting')) {
				resume(sock, record, true);
				return undefined;
			}
			// A thread that cannot wait succeeds at once, as SOCKFS always does; the
			// program sees the rest with poll().
			if (sock.stream.flags & O_NONBLOCK || waiting.canBlock()) fail(ERRNO.EINPROGRESS);
			record.promised = true;
			return undefined;
		},

		/** The port is a name that only the program sees, unless the server binds it (listening.js). */
		bind(sock, addr, port) {
			recordOf(sock).anyPort = port === 0;
			return before.bind(sock, addr, port === 0 && sock.type === SOCK_STREAM && connector.alive ? ephemeralPort() : port);
		},

		/** connect() to no address: the descriptor is as before its first connect(). */
		disconnect(sock) {
			const record = recordOf(sock);
			const { socket } = record;
			if (!socket) return 0;
			// Linux resets an open connection; the next call reports that.
			if (socket.state === 'open') {
				record.pending = ERRNO.ECONNRESET;
				socket.reset?.();
			}
			drop(sock, record);
			return 0;
		},

		shutdown(sock, how) {
			if (how !== 0 && how !== 1 && how !== 2) fail(ERRNO.EINVAL);
			const record = recordOf(sock);
			const { socket } = record;
			if (!socket) return before.shutdown ? before.shutdown(sock, how) : fail(ERRNO.ENOTCONN);
			// What connect() has promised is connected: the FIN follows what was sent.
			if (socket.state !== 'open' && !(record.promised && socket.state === 'connecting')) fail(ERRNO.ENOTCONN);
			if (socket.state === 'open') record.opened = true;
			if (how !== 1) record.readEnded = true;
			if (how !== 0) record.writeEnded = true;
			socket.shutdown(how);
			notify(sock, SHUTDOWN);
			return 0;
		},

		close(sock) {
			const record = recordOf(sock);
			const { socket } = record;
			if (socket) {
				if (dropsAtClose(record.options)) socket.reset?.();
				socket.close();
			}
			record.drop();
			notify(sock, POLL.NVAL);
			return before.close(sock);
		},
	};
}
