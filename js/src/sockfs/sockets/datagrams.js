// SOCKFS's operations on UDP sockets. Each has a socket of its own at the server: one that is
// connected from connect() on, one that is not from its first bind() or sendto() on. It opens
// while the program goes on, so what is wrong with it is the error of a later call. Only bind()
// waits for the answer, where it can. A socket that strangers may send to stays the same one when
// the program connects it.

import { AF_INET, AF_INET6, FIONREAD, MSG, POLL, SOCK_DGRAM } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import * as KIND from '../../wire/generated/kind.js';
import { ending } from '../../wire/codes.js';
import { MAX_PAYLOAD } from '../../tunnel/datagrams.js';
import { DOTTED, mapped, unmapped } from '../../tunnel/ip.js';
import { address } from '../memory.js';
import { destination } from '../names/names.js';
import { receiveTimeout } from './options.js';
import { Peer, hasPeers } from './peer.js';
import { datagramsOf, recordOf, setDatagrams } from './record.js';

/** @typedef {import('./ops.js').Parts} Parts */
/** @typedef {import('../program/program.js').Sock} Sock */

const READ = POLL.IN | POLL.RDNORM;
const WRITE = POLL.OUT | POLL.WRNORM;
/** How long getsockname() waits at most for a server that does not answer. */
const SETTLE_MS = 5000;

/**
 * Returns the operations with those on UDP sockets in front of them.
 * @template {Record<string, (sock: Sock, ...args: any[]) => any>} T
 * @param {Parts} parts
 * @param {T} operations  for all other sockets
 * @returns {T}
 */
export function withDatagrams({ program, connector, before, waiting, fail }, operations) {
	if (!connector.datagrams) return operations;

	/** Whether there is something to receive. In a thread that blocks the look may find an error too. @param {Sock} sock */
	const arrivedAt = (sock) => Boolean(datagramsOf(sock)?.next);

	/** The peer of a connected socket, as the server calls it. @param {Sock} sock */
	const peerOf = (sock) => ({ host: unmapped(sock.daddr), port: sock.dport });

	/** A host in the form that a socket of its family has. @param {Sock} sock @param {string} host */
	const inFamily = (sock, host) => (sock.family === AF_INET6 ? mapped(host) : host);

	/** Reports a pending error, once. @param {Sock} sock */
	const report = (sock) => {
		arrivedAt(sock);
		const error = recordOf(sock).takeError();
		if (error !== 0) fail(error);
	};

	/**
	 * Shows programs that wait for events of SOCKFS's peers, as php-wasm does, a peer of the socket
	 * and whether it has something to receive.
	 * @param {Sock} sock
	 * @param {string} host
	 * @param {number} port
	 */
	const show = (sock, host, port) => {
		const record = recordOf(sock);
		if (record.peer || !before.addPeer || !hasPeers(connector, before)) return;
		const peer = record.peer = new Peer(`ws://${host}:${port}/`);
		// A socket that has failed has its error to receive, and can send again.
		peer.carry({ state: 'open', writable: true, send: () => 0, close() {} });
		before.addPeer(sock, { addr: host, port, socket: peer, msg_send_queue: [] });
		Object.defineProperty(sock, 'recv_queue', { configurable: true, enumerable: true, get: () => ({ length: arrivedAt(sock) || record.pending !== 0 ? 1 : 0 }), set() {} });
	};

	/**
	 * Opens the socket at the server.
	 * @param {Sock} sock
	 * @param {{ kind?: number, host: string, port: number }} target  without a host: not connected
	 */
	const open = (sock, target) => {
		const record = recordOf(sock);
		show(sock, target.host, target.port);
		/** @type {(event: string, errno?: number) => void} */
		const tell = (event, errno = 0) => {
			if (datagramsOf(sock) !== socket) return;
			if (errno !== 0) record.pending = errno;
			sock.stream?.node?.notifyListeners?.(errno === 0 ? READ : READ | POLL.ERR);
			program.emit?.(event, event === 'error' ? [sock.stream.fd, errno, ''] : sock.stream.fd);
			if (event !== 'open') record.peer?.fire('message');
		};
		const socket = /** @type {NonNullable<typeof connector.datagrams>} */ (connector.datagrams).call(connector, target, {
			onopen({ bound }) {
				if (datagramsOf(sock) !== socket || !bound) return;
				// A socket of both families has an address of IPv6.
				sock.saddr = sock.family === AF_INET && !DOTTED.test(bound.addr) ? '0.0.0.0' : inFamily(sock, bound.addr);
				sock.sport = bound.port;
				tell('open');
			},
			onarrival: () => tell('message'),
			onreport: ({ code }) => tell('error', ending(code).errno),
			onclose: ({ errno }) => tell('error', errno || ERRNO.ECONNRESET),
		});
		datagramsOf(sock)?.close();
		setDatagrams(sock, socket);
		if (record.place && sock.daddr !== undefined) socket.only = peerOf(sock);
		return socket;
	};

	/** The socket at the server; one that has ended is opened again. @param {Sock} sock */
	const opened = (sock) => {
		const present = datagramsOf(sock);
		if (present?.alive) return present;
		return open(sock, recordOf(sock).place ?? (sock.daddr === undefined ? { host: '', port: 0 } : peerOf(sock)));
	};

	/** @param {Sock} sock */
	const drop = (sock) => {
		datagramsOf(sock)?.close();
		setDatagrams(sock, null);
	};

	/** @type {Record<string, (sock: Sock, ...args: any[]) => any>} */
	const datagram = {
		bind(sock, addr, port) {
			const record = recordOf(sock);
			// It waits for the server's answer, whatever O_NONBLOCK says: Linux answers at once.
			const call = { ...waiting.begin(sock, record, 'bind'), blocking: true };
			const waits = waiting.canBlock();
			if (!call.resumed) {
				if (sock.saddr !== undefined || sock.sport) fail(ERRNO.EINVAL);
				// Strangers may send to such a port.
				if (port !== 0 && !connector.binds) fail(ERRNO.EACCES);
				sock.saddr = addr;
				sock.sport = port;
				if (port !== 0 || (connector.binds && waits)) record.place = { kind: KIND.udp_bound, host: addr, port };
			}
			for (let socket = (call.resumed && datagramsOf(sock)) || opened(sock); ; socket = opened(sock)) {
				// Where it cannot wait, a later call fails.
				if (!waits || !waiting.until(call, Infinity, () => arrivedAt(sock) || socket.opened || !socket.alive) || socket.alive) return;
				const { place } = record;
				const error = record.takeError() || ERRNO.ECONNABORTED;
				drop(sock);
				record.place = null;
				if (port === 0 && place) continue; // a client, to which no stranger sends
				if (port === 0) {
					record.pending = error; // bind() of any port does not fail on Linux
					return;
				}
				sock.saddr = undefined;
				sock.sport = undefined;
				fail(error);
			}
		},

		connect(sock, given, port) {
			if (port === 0) fail(ERRNO.EINVAL);
			const addr = destination(given);
			const record = recordOf(sock);
			record.pending = 0;
			sock.daddr = addr;
			sock.dport = port;
			if (record.place) opened(sock).only = peerOf(sock);
			else open(sock, peerOf(sock));
		},

		/** connect() to no address. */
		disconnect(sock) {
			const bound = recordOf(sock).place && datagramsOf(sock);
			if (bound) bound.only = null;
			else drop(sock);
			sock.daddr = undefined;
			sock.dport = undefined;
			return 0;
		},

		/** Waits for the server's address and port, where the call can wait. */
		settle(sock) {
			const socket = datagramsOf(sock);
			if (!socket) return;
			const call = waiting.begin(sock, recordOf(sock), 'settle');
			waiting.until(call, SETTLE_MS, () => arrivedAt(sock) || Boolean(sock.sport) || !socket.alive);
		},

		poll(sock) {
			const arrived = arrivedAt(sock);
			const failed = recordOf(sock).pending !== 0;
			return WRITE | (failed || arrived ? READ : 0) | (failed ? POLL.ERR : 0);
		},

		ioctl(sock, request, arg) {
			if (request !== FIONREAD) return before.ioctl(sock, request, arg);
			new DataView(program.heap32().buffer).setInt32(address(arg), datagramsOf(sock)?.next?.bytes.length ?? 0, true);
			return 0;
		},

		sendmsg(sock, buffer, offset, length, to, port) {
			const connected = sock.daddr !== undefined;
			const addr = to === undefined ? undefined : destination(to);
			if (addr === undefined && !connected) fail(ERRNO.EDESTADDRREQ);
			if (connected && addr !== undefined && (addr !== sock.daddr || port !== sock.dport)) fail(ERRNO.EISCONN);
			if (length > MAX_PAYLOAD) fail(ERRNO.EMSGSIZE);
			if (addr !== undefined && port === 0) fail(ERRNO.EINVAL);
			report(sock);
			const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length) : new Uint8Array(buffer, offset, length);
			const peer = connected ? peerOf(sock) : { host: unmapped(/** @type {string} */ (addr)), port };
			opened(sock).send(connected && !recordOf(sock).place ? null : peer, bytes);
			return length;
		},

		recvmsg(sock, length, flags = program.call.flags) {
			if (flags & MSG.OOB) fail(ERRNO.EINVAL);
			if (flags & MSG.ERRQUEUE) fail(ERRNO.EAGAIN);
			const record = recordOf(sock);
			const call = waiting.begin(sock, record, 'receive', flags);
			const ready = () => arrivedAt(sock) || record.pending !== 0;
			if (!waiting.until(call, receiveTimeout(record.options), ready)) fail(ERRNO.EAGAIN);
			report(sock);
			const socket = /** @type {import('../../tunnel/datagrams.js').Datagrams} */ (datagramsOf(sock));
			const { bytes, peer } = /** @type {import('../../tunnel/datagrams.js').Datagram} */ (flags & MSG.PEEK ? socket.next : socket.take());
			const head = bytes.subarray(0, length);
			// The length that SOCKFS returns is read from here.
			if (flags & MSG.TRUNC) Object.defineProperty(head, 'byteLength', { value: bytes.length });
			return { buffer: head, addr: peer ? inFamily(sock, peer.host) : sock.daddr, port: peer ? peer.port : sock.dport };
		},

		close(sock) {
			drop(sock);
			return before.close(sock);
		},
	};
	return /** @type {T} */ (Object.fromEntries(Object.entries({ settle() {}, ...operations }).map(([name, operation]) => {
		const own = datagram[name];
		return [name, own ? (/** @type {Sock} */ sock, /** @type {any[]} */ ...rest) => (sock.type === SOCK_DGRAM && connector.alive ? own : operation)(sock, ...rest) : operation];
	})));
}
