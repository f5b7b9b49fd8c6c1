// What the layer knows of each socket of SOCKFS, beside SOCKFS's own record of it.

import { AF_INET6, SOCK_STREAM } from '../flags.js';
import { newOptions } from './options.js';

/** @typedef {import('../connector.js').Socket} Socket */
/** @typedef {import('../program/program.js').Sock} Sock */

/**
 * How far a blocking call has come that waits and is called again.
 * @typedef {object} Progress
 * @property {number} [until]  when its time is up; absent: it has not waited yet
 * @property {number} sent  bytes that a send has taken
 * @property {Uint8Array[]} pieces  what a receive of MSG_WAITALL has taken
 */

/** The layer's half of one Sock. */
class Record {
	/** The connection, from connect() on. @type {Socket | null} */
	socket = null;
	/** @type {import('./peer.js').Peer | null} */
	peer = null;
	/** Of a listener, whose socket is its stream: the connections that wait. @type {import('../../tunnel/incoming.js').Records | null} */
	listener = null;
	/** The stream that has bound the port at the server, until listen() makes a listener of it. @type {Socket | null} */
	claim = null;
	/** bind() was given port 0, and the server has chosen none. */
	anyPort = false;
	/** It has been open: connect() on it fails from now on. */
	opened = false;
	/** connect() has said 0 before the connection was known. */
	promised = false;
	/** The program has seen the error of a connection that failed. */
	failureSeen = false;
	/** The program has ended its directions. */
	readEnded = false;
	writeEnded = false;
	/** An errno of the program's own doing that no call has reported yet. */
	pending = 0;
	/**
	 * The address that bind() was given.
	 * @type {{ addr: string | undefined, port: number | undefined }}
	 */
	bound = { addr: undefined, port: undefined };
	/** Where a socket for datagrams is bound. @type {{ kind: number, host: string, port: number } | null} */
	place = null;
	options = newOptions();
	/** Descriptors of the socket, from the first dup() on. @type {Set<number>} */
	descriptors = new Set();
	/** Calls that wait. @type {Map<string, Progress>} */
	progress = new Map();

	/** Forgets the connection; the next connect() begins anew. */
	drop() {
		this.socket = null;
		this.peer = null;
		this.listener = null;
		this.opened = false;
		this.promised = false;
		this.failureSeen = false;
		this.readEnded = false;
		this.writeEnded = false;
		this.progress.clear();
	}

	/** The error that the next call reports. */
	get error() {
		return this.pending || (this.socket?.error ?? 0);
	}

	/** Takes the error; 0 if there is none. */
	takeError() {
		const { error } = this;
		if (this.pending !== 0) this.pending = 0;
		else if (error !== 0) {
			this.socket?.clearError();
			this.failureSeen = true;
		}
		return error;
	}
}

/** @typedef {Record} SockRecord */

/** @type {WeakMap<object, Record>} */
const records = new WeakMap();

/**
 * Returns the layer's half of a Sock, and makes it at first.
 * @param {Sock} sock
 */
export function recordOf(sock) {
	let record = records.get(sock);
	if (!record) records.set(sock, record = new Record());
	return record;
}

/**
 * The connector's socket behind SOCKFS's, if it is one of ours.
 * @param {Sock} sock
 */
export const socketOf = (sock) => records.get(sock)?.socket ?? undefined;

/** @type {WeakMap<object, import('../../tunnel/datagrams.js').Datagrams>} */
const datagrams = new WeakMap();

/** The socket for datagrams behind SOCKFS's, if it is one of ours. @param {Sock} sock */
export const datagramsOf = (sock) => datagrams.get(sock);

/** @param {Sock} sock @param {import('../../tunnel/datagrams.js').Datagrams | null} socket */
export function setDatagrams(sock, socket) {
	if (socket) datagrams.set(sock, socket);
	else datagrams.delete(sock);
}

/** Reports whether a TCP socket has no connection, neither ours nor SOCKFS's. @param {Sock} sock */
export const isFresh = (sock) => sock.type === SOCK_STREAM && !sock.server && !socketOf(sock) && Object.keys(sock.peers ?? {}).length === 0;

/**
 * Reports whether a descriptor is one of a socket's.
 * @param {Sock} sock
 * @param {number} fd
 */
export function hasDescriptor(sock, fd) {
	return sock.stream?.fd === fd || records.get(sock)?.descriptors.has(fd) === true;
}

/** An IPv4 address as text. */
const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;
const ANY = '0.0.0.0';

/**
 * SOCKFS keeps the state of a socket in fields that its system calls and some programs read: they
 * are taken from the record from now on.
 * @param {Sock} sock
 * @param {Record} record
 */
export function showState(sock, record) {
	if (Object.getOwnPropertyDescriptor(sock, 'connecting')?.get) return;
	record.bound = { addr: sock.saddr, port: sock.sport };
	const known = () => {
		const local = record.socket?.local;
		return local && (DOTTED.test(local.addr) || sock.family === AF_INET6) ? local : null;
	};
	/** @type {Record_} */
	const fields = {
		error: [() => record.error || null, (value) => {
			if (!value) record.takeError();
		}],
		connecting: [() => record.socket?.state === 'connecting', () => undefined],
		// What bind() left open, the system chooses.
		saddr: [() => {
			const { addr } = record.bound;
			return addr === undefined || addr === ANY ? known()?.addr ?? addr : addr;
		}, (value) => void (record.bound.addr = value)],
		sport: [() => record.bound.port || record.socket?.local?.port || record.bound.port, (value) => void (record.bound.port = value)],
	};
	for (const [name, [get, set]] of Object.entries(fields)) {
		Object.defineProperty(sock, name, { configurable: true, enumerable: true, get, set });
	}
	// SOCKFS's peer puts its messages there, and programs look whether there are any.
	const queue = {
		get length() {
			const { socket } = record;
			return socket && (socket.available > 0 || socket.eof || socket.error !== 0) ? 1 : 0;
		},
		push: () => 0,
		shift: () => undefined,
	};
	Object.defineProperty(sock, 'recv_queue', { configurable: true, enumerable: true, get: () => queue, set() {} });
}

/** @typedef {{ [name: string]: [() => unknown, (value: any) => void] }} Record_ */
