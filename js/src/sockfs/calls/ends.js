// The system calls that read and write addresses of TCP sockets: connect() and bind(), also of
// IPv6, which SOCKFS has no sockets for, accept(), and the names of both ends.

import { unmapped } from '../../tunnel/ip.js';
import { readAddress, writeAddress } from './sockaddr.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { AF_INET, AF_INET6, O_NONBLOCK, SOCK_DGRAM, SOCK_KIND, SOCK_STREAM } from '../flags.js';
import { isV6Only } from '../sockets/options.js';
import { datagramsOf, isFresh, recordOf, socketOf } from '../sockets/record.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {(...args: any[]) => any} Call */

const AF_UNIX = 1;
/** Flags of socket() stand above its kind: SOCK_CLOEXEC and SOCK_NONBLOCK. */
const FLAGS = 0x80000 | O_NONBLOCK;
/** Linux has kinds below this number; of these, the protocols that a program may name. */
const KINDS = 11;
const PROTOCOLS = new Map([[SOCK_STREAM, 6], [SOCK_DGRAM, 17]]);
/** Bytes that connect() and bind() want at least: sockaddr_in, and sockaddr_in6 without the scope. */
const LEAST = new Map([[AF_INET, 16], [AF_INET6, 24]]);
/** Bytes that SOCKFS's connect() wants. */
const LENGTH = new Map([[AF_INET, 16], [AF_INET6, 28]]);
const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;
const NONE = new Map([[AF_INET, '0.0.0.0'], [AF_INET6, '::']]);

/**
 * @param {Program} program
 * @param {(run: () => number) => number} asCall  turns an operation's error into a negative errno
 * @returns {Record<'socket' | 'connect' | 'bind' | 'accept4' | 'getsockname' | 'getpeername', (before: Call) => Call>}
 */
export function endCalls(program, asCall) {
	const buffer = () => program.heap32().buffer;
	/** A TCP socket that is ours, or has no connection yet. @param {number} fd @returns {Sock | null} */
	const streamOf = (fd) => {
		const sock = program.ops ? program.sockOf(fd) : null;
		return sock && (socketOf(sock) || isFresh(sock)) ? sock : null;
	};
	/** Whether an address has the form of its socket. @param {string} host @param {number} family */
	const fits = (host, family) => family === AF_INET6 || DOTTED.test(host);

	/** @param {Sock} sock @returns {{ host: string | undefined, port: number }} */
	const localOf = (sock) => ({ host: sock.saddr || NONE.get(sock.family), port: sock.sport || 0 });

	/** @param {Sock} sock @returns {{ host: string | undefined, port: number } | number}  negative: an errno */
	const peerOf = (sock) => {
		const { socket, promised, listener } = recordOf(sock);
		if (!socket || listener || socket.state === 'closed' || (socket.state === 'connecting' && !promised)) return -ERRNO.ENOTCONN;
		const { remote } = socket;
		// Behind a proxy the server knows no address, and a socket of IPv4 cannot say one of IPv6.
		if (remote && fits(remote.addr, sock.family)) return { host: remote.addr, port: remote.port };
		const host = unmapped(sock.daddr);
		return { host: fits(host, sock.family) && isAddress(host) ? host : program.hosts.addressOf(host), port: sock.dport };
	};

	/** One of streamOf, or a socket for datagrams that is ours. @param {number} fd */
	const namedOf = (fd) => {
		const sock = program.ops ? program.sockOf(fd) : null;
		return sock && datagramsOf(sock) ? sock : streamOf(fd);
	};

	/**
	 * @param {(sock: Sock) => { host: string | undefined, port: number } | number} find
	 * @param {(fd: number) => Sock | null} [ours]
	 */
	const nameOf = (find, ours = streamOf) => (/** @type {Call} */ before) => (/** @type {any[]} */ ...args) => {
		const [fd, addr, length] = args;
		const sock = ours(fd);
		const found = sock && find(sock);
		if (typeof found === 'number') return found;
		// A name that the program's own functions looked up, unseen.
		if (!sock || !found?.host) return before(...args);
		return writeAddress(buffer(), addr, length, { family: sock.family, host: found.host, port: found.port });
	};

	/** The address that a call gives a socket. @param {Sock} sock @param {any} addr @param {number} length */
	const given = (sock, addr, length) => {
		if (length < (LEAST.get(sock.family) ?? 0)) return { errno: ERRNO.EINVAL, family: 0, host: '', port: 0 };
		const read = readAddress(buffer(), addr, length);
		return read.errno === 0 && read.family !== sock.family ? { ...read, errno: ERRNO.EAFNOSUPPORT } : read;
	};

	return {
		// SOCKFS refuses AF_INET6, and asks for it nowhere else. In Emscripten 3 it ends the program
		// where a protocol is none of the kind's.
		socket: (before) => (family, type, ...rest) => {
			const wrong = wrongSocket(family, type, rest[0]);
			if (wrong !== 0) return -wrong;
			if (family !== AF_INET6 || !PROTOCOLS.has(type & SOCK_KIND)) return before(family, type, ...rest);
			const fd = before(AF_INET, type, ...rest);
			const sock = fd >= 0 && program.ops ? program.sockOf(fd) : null;
			if (sock) sock.family = AF_INET6;
			else if (fd >= 0) program.release?.(fd);
			return sock || fd < 0 ? fd : -ERRNO.EAFNOSUPPORT;
		},

		connect: (before) => (...args) => {
			const [fd, addr, length] = args;
			const sock = streamOf(fd);
			if (!sock) return before(...args);
			const { errno, family, host, port } = given(sock, addr, length);
			if (errno !== 0) return -errno;
			if (family === AF_INET6 && DOTTED.test(host) && isV6Only(recordOf(sock).options)) return -ERRNO.ENETUNREACH;
			// SOCKFS turns an address of IPv4 into the name that it made it up for.
			const own = () => before(fd, addr, LENGTH.get(family), ...args.slice(3));
			return family === AF_INET ? own() : connectingTo(program.ops, host, port, own);
		},

		bind: (before) => (...args) => {
			const [fd, addr, length] = args;
			const sock = streamOf(fd);
			if (!sock) return before(...args);
			const { errno, host, port } = given(sock, addr, length);
			return errno !== 0 ? -errno : asCall(() => program.ops.bind(sock, host, port) ?? 0);
		},

		// SOCKFS knows neither flags nor short room for the address.
		accept4: (before) => (...args) => {
			const [fd, addr, length, flags] = args;
			const sock = streamOf(fd);
			if (!sock || !recordOf(sock).listener) return before(...args);
			if (flags & ~FLAGS) return -ERRNO.EINVAL;
			return asCall(() => {
				const made = program.ops.accept(sock);
				made.stream.flags |= flags & O_NONBLOCK;
				if (addr) writeAddress(buffer(), addr, length, { family: made.family, host: made.daddr, port: made.dport });
				return made.stream.fd;
			});
		},

		getsockname(before) {
			const name = nameOf(localOf, namedOf)(before);
			return (...args) => {
				const sock = program.sockOf(args[0]);
				if (sock && datagramsOf(sock)) asCall(() => program.ops.settle?.(sock));
				return name(...args);
			};
		},
		getpeername: nameOf(peerOf),
	};
}

/**
 * Runs connect() of a program so that the operation gets this address. It is the program's own call,
 * because it may sleep (ASYNCIFY).
 * @param {Program['ops']} ops
 * @param {string} host
 * @param {number} port
 * @param {() => any} run
 */
function connectingTo(ops, host, port, run) {
	const { connect } = ops;
	ops.connect = (/** @type {Sock} */ sock) => connect(sock, host, port);
	try {
		return run();
	} finally {
		ops.connect = connect;
	}
}

/**
 * Returns the errno of a socket that Linux does not make, 0 for others.
 * @param {number} family
 * @param {number} type
 * @param {number} protocol
 */
function wrongSocket(family, type, protocol) {
	const kind = type & SOCK_KIND;
	if (type & ~(SOCK_KIND | FLAGS) || kind >= KINDS) return ERRNO.EINVAL;
	if (family === AF_UNIX) return 0;
	if (family !== AF_INET && family !== AF_INET6) return ERRNO.EAFNOSUPPORT;
	if (kind === 0) return ERRNO.ESOCKTNOSUPPORT;
	const only = PROTOCOLS.get(kind);
	return protocol && only && protocol !== only ? ERRNO.EPROTONOSUPPORT : 0;
}

/** @param {string} host */
const isAddress = (host) => DOTTED.test(host) || host.includes(':');
