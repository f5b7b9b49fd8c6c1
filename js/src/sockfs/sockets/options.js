// Options of sockets: which there are, what they are at first, and how they stand in the
// memory of a program. All are remembered; the server applies those that SocketOptions
// has.

import * as ERRNO from '../../wire/generated/errno.js';
import { AF_INET6, SOCK_STREAM } from '../flags.js';

/** @typedef {import('../connector.js').SocketOptions} SocketOptions */
/** @typedef {import('../program/program.js').Sock} Sock */

/** @typedef {{ on: boolean, seconds: number }} Linger */
/**
 * A value: a number, microseconds of a time, or a linger.
 * @typedef {number | Linger | Uint8Array} Value
 */
/** What a socket's options are, by level and name. @typedef {Map<string, Value>} Options */

const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const SO_LINGER = 13;
const SO_RCVLOWAT = 18;
const TCP_NODELAY = 1;
const SO_KEEPALIVE = 9;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const IPV6_V6ONLY = 26;
const INT_MAX = 2 ** 31 - 1;

/** Linux gives a buffer twice what was asked for, and at least and at most so much. */
const SEND_BUFFER = { kind: 'buffer', initial: 16384, min: 4608, max: 1 << 23 };
const RECEIVE_BUFFER = { kind: 'buffer', initial: 131072, min: 2304, max: 1 << 23 };
const FLAG = { kind: 'flag', initial: 0 };
const SET_FLAG = { kind: 'flag', initial: 1 };
const NUMBER = { kind: 'number', initial: 0 };
const TIME = { kind: 'time', initial: 0 };

/**
 * One option. fixed: setsockopt() does not know it, and its value is the socket's.
 * @typedef {object} Option
 * @property {string} kind  flag, number, buffer, time, linger, text or fixed
 * @property {number} [initial]
 * @property {number} [min]
 * @property {number} [max]
 * @property {string} [text]
 * @property {(sock: Sock, state: State) => number | Uint8Array} [value]
 */

/**
 * What fixed options say of a connection.
 * @typedef {{ state: number, takeError: () => number }} State
 */

/** struct tcp_info as far as old programs know it; the first byte is the state. */
const TCP_INFO_BYTES = 104;

/**
 * Initial values and limits are Linux's.
 * @type {{ [level: number]: { [name: number]: Option } }}
 */
const TABLE = {
	[SOL_SOCKET]: {
		1: FLAG, // SO_DEBUG
		2: FLAG, // SO_REUSEADDR
		3: { kind: 'fixed', value: (sock) => sock.type },
		4: { kind: 'fixed', value: (_, state) => state.takeError() },
		5: FLAG, // SO_DONTROUTE
		6: FLAG, // SO_BROADCAST
		7: SEND_BUFFER,
		8: RECEIVE_BUFFER,
		[SO_KEEPALIVE]: FLAG,
		10: FLAG, // SO_OOBINLINE
		11: FLAG, // SO_NO_CHECK
		12: NUMBER, // SO_PRIORITY
		[SO_LINGER]: { kind: 'linger' },
		15: FLAG, // SO_REUSEPORT
		[SO_RCVLOWAT]: { kind: 'number', initial: 1, min: 1 },
		19: { kind: 'fixed', value: () => 1 }, // SO_SNDLOWAT
		20: TIME, // SO_RCVTIMEO, and SO_SNDTIMEO, with times of 32 bits
		21: TIME,
		29: FLAG, // SO_TIMESTAMP
		30: { kind: 'fixed', value: (sock) => (sock.server ? 1 : 0) }, // SO_ACCEPTCONN
		32: SEND_BUFFER, // SO_SNDBUFFORCE
		33: RECEIVE_BUFFER, // SO_RCVBUFFORCE
		38: { kind: 'fixed', value: (sock) => sock.protocol || (sock.type === SOCK_STREAM ? IPPROTO_TCP : 17) }, // SO_PROTOCOL
		39: { kind: 'fixed', value: (sock) => sock.family ?? 2 }, // SO_DOMAIN
		46: NUMBER, // SO_BUSY_POLL
		66: TIME, // SO_RCVTIMEO, and SO_SNDTIMEO, with times of 64 bits
		67: TIME,
	},
	[IPPROTO_TCP]: {
		[TCP_NODELAY]: FLAG,
		2: { kind: 'number', initial: 536, min: 88, max: 32767 }, // TCP_MAXSEG
		3: FLAG, // TCP_CORK
		[TCP_KEEPIDLE]: { kind: 'number', initial: 7200, min: 1, max: 32767 },
		[TCP_KEEPINTVL]: { kind: 'number', initial: 75, min: 1, max: 32767 },
		[TCP_KEEPCNT]: { kind: 'number', initial: 9, min: 1, max: 127 },
		7: { kind: 'number', initial: 6, min: 1, max: 127 }, // TCP_SYNCNT
		8: { kind: 'number', initial: 60 }, // TCP_LINGER2
		9: NUMBER, // TCP_DEFER_ACCEPT
		10: NUMBER, // TCP_WINDOW_CLAMP
		11: { kind: 'fixed', value: (_, { state }) => new Uint8Array(TCP_INFO_BYTES).fill(state, 0, 1) }, // TCP_INFO
		12: SET_FLAG, // TCP_QUICKACK
		13: { kind: 'text', text: 'cubic' }, // TCP_CONGESTION
		16: FLAG, // TCP_THIN_LINEAR_TIMEOUTS
		17: FLAG, // TCP_THIN_DUPACK
		18: { kind: 'number', initial: 0, min: 0 }, // TCP_USER_TIMEOUT
		23: NUMBER, // TCP_FASTOPEN
		25: NUMBER, // TCP_NOTSENT_LOWAT
		30: FLAG, // TCP_FASTOPEN_CONNECT
		36: FLAG, // TCP_INQ
	},
	[IPPROTO_IP]: {
		1: { kind: 'number', initial: 0 }, // IP_TOS
		2: { kind: 'number', initial: 64, min: 1, max: 255 }, // IP_TTL
		8: FLAG, // IP_PKTINFO
		10: { kind: 'number', initial: 1, min: 0, max: 5 }, // IP_MTU_DISCOVER
		11: FLAG, // IP_RECVERR
		12: FLAG, // IP_RECVTTL
		13: FLAG, // IP_RECVTOS
		15: FLAG, // IP_FREEBIND
		24: FLAG, // IP_BIND_ADDRESS_NO_PORT
		33: { kind: 'number', initial: 1, min: 0, max: 255 }, // IP_MULTICAST_TTL
		34: SET_FLAG, // IP_MULTICAST_LOOP
	},
	[IPPROTO_IPV6]: {
		16: { kind: 'number', initial: 64, min: 1, max: 255 }, // IPV6_UNICAST_HOPS
		18: { kind: 'number', initial: 1, min: 0, max: 255 }, // IPV6_MULTICAST_HOPS
		19: SET_FLAG, // IPV6_MULTICAST_LOOP
		[IPV6_V6ONLY]: FLAG,
		67: NUMBER, // IPV6_TCLASS
	},
};

/** Both names of a time, and of a buffer, are one option. */
const SAME = new Map([['1:66', '1:20'], ['1:67', '1:21'], ['1:32', '1:7'], ['1:33', '1:8']]);

/** @param {number} level @param {number} name */
const keyOf = (level, name) => SAME.get(`${level}:${name}`) ?? `${level}:${name}`;

/** @returns {Options} */
export const newOptions = () => new Map();

/** @param {Sock} sock @param {number} level @param {number} name @returns {Option | undefined} */
function find(sock, level, name) {
	if (level === IPPROTO_TCP && sock.type !== SOCK_STREAM) return undefined;
	if (level === IPPROTO_IPV6 && sock.family !== AF_INET6) return undefined;
	return TABLE[level]?.[name];
}

/**
 * Sets an option from the bytes that the program gave. Returns an errno, 0 if it is set.
 * @param {Sock} sock
 * @param {Options} options
 * @param {{ level: number, name: number, bytes: DataView }} given
 */
export function setOption(sock, options, { level, name, bytes }) {
	const option = find(sock, level, name);
	if (!option || option.kind === 'fixed') return ERRNO.ENOPROTOOPT;
	// It is settled once the socket has a port.
	if (level === IPPROTO_IPV6 && name === IPV6_V6ONLY && (sock.saddr || sock.sport)) return ERRNO.EINVAL;
	const value = decode(option, options.get(keyOf(level, name)), bytes, level === IPPROTO_IP);
	if (typeof value !== 'object' && value < 0) return -value;
	options.set(keyOf(level, name), value);
	return 0;
}

/**
 * Returns the bytes of an option as getsockopt() gives them, or an errno.
 * @param {Sock} sock
 * @param {Options} options
 * @param {{ level: number, name: number, length: number, state: State }} asked  length: bytes that the program has room for
 * @returns {Uint8Array | number}
 */
export function getOption(sock, options, { level, name, length, state }) {
	const option = find(sock, level, name);
	if (!option) return level === SOL_SOCKET || level === IPPROTO_TCP || level === IPPROTO_IP ? ERRNO.ENOPROTOOPT : ERRNO.ENOTSUP;
	if (length < 0) return ERRNO.EINVAL;
	const value = option.value ? option.value(sock, state) : options.get(keyOf(level, name)) ?? option.initial ?? 0;
	return encode(option, value, length).subarray(0, length);
}

/**
 * @param {Option} option
 * @param {Value | undefined} earlier
 * @param {DataView} bytes
 * @param {boolean} byteWide  one byte is enough for a number
 * @returns {Value}  negative: an errno
 */
function decode(option, earlier, bytes, byteWide) {
	const { kind, initial = 0, min = -INT_MAX - 1, max = INT_MAX, text } = option;
	if (kind === 'text') {
		const given = new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice()).replace(/\0[^]*/, '');
		return given === text ? 0 : -ERRNO.ENOENT;
	}
	if (kind === 'time') return decodeTime(bytes);
	if (kind === 'linger') {
		if (bytes.byteLength < 8) return -ERRNO.EINVAL;
		const on = bytes.getInt32(0, true) !== 0;
		const seconds = typeof earlier === 'object' && 'seconds' in earlier ? earlier.seconds : 0;
		return { on, seconds: on ? bytes.getInt32(4, true) : seconds };
	}
	if (bytes.byteLength < 4 && !(byteWide && bytes.byteLength > 0)) return -ERRNO.EINVAL;
	const number = bytes.byteLength < 4 ? bytes.getUint8(0) : bytes.getInt32(0, true);
	if (kind === 'flag') return number === 0 ? 0 : 1;
	// The kernel takes the number for an unsigned one here.
	if (kind === 'buffer') return Math.min(max, Math.max(min, (number >>> 0) * 2));
	if (number === -1 && byteWide) return initial;
	if (number === 0 && min === 1 && initial === 1) return initial;
	return number < min || number > max ? -ERRNO.EINVAL : Math.max(0, number);
}

/** struct timeval is two words or two double words. Microseconds. @param {DataView} bytes */
function decodeTime(bytes) {
	if (bytes.byteLength < 8) return -ERRNO.EINVAL;
	const wide = bytes.byteLength >= 16;
	const seconds = wide ? Number(bytes.getBigInt64(0, true)) : bytes.getInt32(0, true);
	const micros = bytes.getInt32(wide ? 8 : 4, true);
	if (micros < 0 || micros >= 1e6) return -ERRNO.EDOM;
	return seconds < 0 ? 0 : seconds * 1e6 + micros;
}

/** @param {Option} option @param {Value} value @param {number} length */
function encode({ kind, text = '' }, value, length) {
	if (value instanceof Uint8Array) return value;
	if (kind === 'text') return new TextEncoder().encode(text.padEnd(16, '\0'));
	const wide = kind === 'time' && length >= 16;
	const bytes = new DataView(new ArrayBuffer(kind === 'time' ? (wide ? 16 : 8) : kind === 'linger' ? 8 : 4));
	if (kind === 'linger') {
		const linger = typeof value === 'object' ? value : { on: false, seconds: 0 };
		bytes.setInt32(0, linger.on ? 1 : 0, true);
		bytes.setInt32(4, linger.seconds, true);
	} else if (kind === 'time') {
		const micros = Number(value);
		if (wide) bytes.setBigInt64(0, BigInt(Math.floor(micros / 1e6)), true);
		else bytes.setInt32(0, Math.floor(micros / 1e6), true);
		bytes.setInt32(wide ? 8 : 4, micros % 1e6, true);
	} else bytes.setInt32(0, Number(value), true);
	return new Uint8Array(bytes.buffer);
}

/** @param {Options} options @returns {number} milliseconds that a receive waits at most, Infinity: no limit */
export const receiveTimeout = (options) => timeOf(options, '1:20');

/** @param {Options} options @returns {number} the same for a send and a connect */
export const sendTimeout = (options) => timeOf(options, '1:21');

/** @param {Options} options @returns {number} bytes that must be there before poll() and a call that waits see them */
export const leastReceived = (options) => Number(options.get(keyOf(SOL_SOCKET, SO_RCVLOWAT)) ?? 1);

/** @param {Options} options @param {string} key */
const timeOf = (options, key) => Number(options.get(key) ?? 0) / 1000 || Infinity;

/** Reports whether a socket of IPv6 takes no address of IPv4. @param {Options} options */
export const isV6Only = (options) => Boolean(options.get(keyOf(IPPROTO_IPV6, IPV6_V6ONLY)));

/** Reports whether close() drops what was sent: SO_LINGER of no time. @param {Options} options */
export function dropsAtClose(options) {
	const linger = options.get(keyOf(SOL_SOCKET, SO_LINGER));
	return typeof linger === 'object' && 'on' in linger && linger.on && linger.seconds === 0;
}

/**
 * Returns what the server sets at its socket: the options that the program has set.
 * @param {Options} options
 * @returns {SocketOptions | undefined}
 */
export function serverOptions(options) {
	/** @param {number} level @param {number} name */
	const number = (level, name) => /** @type {number | undefined} */ (options.get(keyOf(level, name)));
	/** @param {number | undefined} value */
	const flag = (value) => (value === undefined ? undefined : value !== 0);
	const all = {
		noDelay: flag(number(IPPROTO_TCP, TCP_NODELAY)),
		keepAlive: flag(number(SOL_SOCKET, SO_KEEPALIVE)),
		keepIdle: number(IPPROTO_TCP, TCP_KEEPIDLE),
		keepInterval: number(IPPROTO_TCP, TCP_KEEPINTVL),
		keepCount: number(IPPROTO_TCP, TCP_KEEPCNT),
	};
	const set = Object.entries(all).filter(([, value]) => value !== undefined);
	return set.length === 0 ? undefined : Object.fromEntries(set);
}
