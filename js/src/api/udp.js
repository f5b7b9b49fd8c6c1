// The sockets behind UDPSocket.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';
import { Datagrams, MAX_PAYLOAD } from '../tunnel/datagrams.js';
import { DOTTED } from '../tunnel/ip.js';
import { isIPv6 } from '../tunnel/target.js';
import { targetFrom } from './address.js';
import { shown } from './errors.js';
import { thrownBy } from './exceptions.js';
import { settler } from './settler.js';

/**
 * @typedef {object} UDPSocketOptions
 * @property {string} [remoteAddress]  with remotePort: a connected socket
 * @property {number} [remotePort]
 * @property {string} [localAddress]  a bound socket: '0.0.0.0' or '::', or an address of the server
 * @property {number} [localPort]  default: any. With a port, or another address, strangers may send to the socket: a server refuses it unless its
 *   operator allows it (--allow-listen)
 * @property {'ipv4' | 'ipv6'} [dnsQueryType]  connected only
 * @property {boolean} [ipv6Only]  bound to '::' only
 * @property {(error: any) => void} [onerror]  called for what the network or the server says of a datagram, with its remoteAddress and remotePort where the socket is not connected; it ends nothing
 * @property {number} [sendBufferSize]  without effect
 * @property {number} [receiveBufferSize]  likewise
 */

/** @typedef {{ data: Uint8Array<ArrayBuffer>, remoteAddress?: string, remotePort?: number }} UDPMessage */
/** @typedef {{ data: BufferSource, remoteAddress?: string, remotePort?: number }} UDPMessageToSend */

/**
 * What `opened` resolves to. A socket that is not connected has no remote address.
 * @typedef {object} UDPSocketOpenInfo
 * @property {ReadableStream<UDPMessage>} readable
 * @property {WritableStream<UDPMessageToSend>} writable
 * @property {string | null} [remoteAddress]
 * @property {number | null} [remotePort]
 * @property {string | null} localAddress  the server's
 * @property {number | null} localPort
 */

/** @typedef {import('./latersocket.js').OpenSocket<UDPSocketOpenInfo>} OpenSocket */

/** @type {Record<string, 4 | 6>} */
const FAMILIES = { ipv4: 4, ipv6: 6 };
/** Addresses that stand for every one. @type {Record<string, 4 | undefined>} */
const ANY = { '0.0.0.0': 4, '::': undefined };

/**
 * Reads the options; throws a TypeError or a SocketError.
 * @param {UDPSocketOptions} options
 */
function requestOf({ remoteAddress, remotePort, localAddress, localPort = 0, dnsQueryType, ipv6Only }) {
	if (remoteAddress !== undefined || remotePort !== undefined) {
		if (localAddress !== undefined) throw new TypeError('UDPSocket: remoteAddress and localAddress exclude each other');
		const family = dnsQueryType === undefined ? undefined : FAMILIES[dnsQueryType];
		if (dnsQueryType !== undefined && !family) throw new TypeError(`UDPSocket: dnsQueryType ${shown(dnsQueryType)} is neither "ipv4" nor "ipv6"`);
		return { connected: true, ...targetFrom(remoteAddress, remotePort), family };
	}
	if (localAddress === undefined) throw new TypeError('UDPSocket: there is neither remoteAddress nor localAddress');
	if (!DOTTED.test(localAddress) && !isIPv6(localAddress)) throw new TypeError(`UDPSocket: localAddress ${shown(localAddress)} is no address`);
	if (!Number.isInteger(localPort) || localPort < 0 || localPort > 65535) throw new TypeError(`UDPSocket: localPort ${shown(localPort)} is not a whole number in 0 to 65535`);
	const family = ipv6Only ? /** @type {6} */ (6) : ANY[localAddress];
	// The server chooses the address and the port, and lets no stranger send there.
	if (localAddress in ANY && localPort === 0) return { connected: false, host: '', port: 0, family };
	return { connected: false, kind: KIND.udp_bound, host: localAddress, port: localPort, family };
}

/**
 * Returns what makes the sockets of UDPSocket.
 * @param {Pick<import('../entry/part/direct.js').Shared, 'tunnel' | 'defaults' | 'SocketError'>} shared
 */
export const udpOf = ({ tunnel, defaults, SocketError }) => async (/** @type {UDPSocketOptions} */ options = {}) => {
	const { connected, ...request } = requestOf(options);
	const target = request.host === '' ? `port ${request.port}` : `${request.host}:${request.port}`;
	const errorOf = (/** @type {import('../wire/codes.js').Ending} */ why, about = target) => thrownBy(new SocketError(about, why));
	/** @type {ReadableStreamDefaultController<UDPMessage>} */
	let reader;
	/** @type {WritableStreamDefaultController} */
	let writer;
	/** The page wants a datagram. */
	let wanted = false;
	let over = false;
	/** Messages that the page has written and that were not given to the socket: the WritableStream keeps them. */
	let queued = 0;
	/** @type {ReturnType<typeof settler<UDPSocketOpenInfo>>} */
	const opened = settler();
	/** @type {ReturnType<typeof settler<void>>} */
	const closed = settler();
	let isOpen = false;
	let [reads, writes] = [true, true];

	const pass = () => {
		while (wanted && reads) {
			const next = socket.take();
			if (!next) return;
			wanted = false;
			const { peer, bytes } = next;
			reader.enqueue(peer ? { data: bytes, remoteAddress: peer.host, remotePort: peer.port } : { data: bytes });
		}
	};
	const socket = new Datagrams((asked, handlers) => tunnel.open(asked, handlers), { timeoutMs: defaults.timeoutMs, ...request }, {
		onopen({ bound, remote }) {
			isOpen = true;
			opened.resolve({
				readable, writable, localAddress: bound && bound.addr, localPort: bound && bound.port,
				...(connected && { remoteAddress: remote && remote.addr, remotePort: remote && remote.port }),
			});
		},
		onarrival: pass,
		onreport({ peer, code, text }) {
			const error = errorOf(ending(code, text), peer ? `${peer.host}:${peer.port}` : target);
			options.onerror?.(peer ? Object.assign(error, { remoteAddress: peer.host, remotePort: peer.port }) : error);
		},
		onclose(why) {
			over = true;
			const clean = why.code === CODES.ok;
			const error = errorOf(clean ? ending(CODES.aborted, why.text) : why);
			opened.reject(error);
			if (clean) closed.resolve();
			else closed.reject(error);
			if (reads && clean) reader.close();
			else if (reads) reader.error(error);
			if (writes) writer.error(error);
			[reads, writes] = [false, false];
		},
	});
	/** Both streams are done. */
	const finish = () => {
		if (!reads && !writes && !over) socket.close();
	};
	const readable = new ReadableStream({
		start(controller) {
			reader = controller;
		},
		pull() {
			wanted = true;
			pass();
		},
		cancel() {
			reads = false;
			finish();
		},
	}, { highWaterMark: 0 });
	/** @param {unknown} [error] */
	const endWrites = (error) => {
		writes = false;
		socket.flush();
		if (error !== undefined && reads) {
			reads = false;
			reader.error(error);
		}
		finish();
	};
	const writable = new WritableStream({
		start(controller) {
			writer = controller;
		},
		write(message) {
			queued--;
			try {
				socket.send(connected ? noPeer(message) : peerOf(message), payloadOf(message), queued > 0);
			} catch (error) {
				socket.flush(); // what was written before is sent
				throw error;
			}
		},
		close: () => endWrites(),
		abort: () => endWrites(),
	}, {
		highWaterMark: 1,
		// It is asked once for each message, when the page writes it.
		size() {
			queued++;
			return 1;
		},
	});
	return {
		opened: opened.promise,
		closed: closed.promise,
		async close() {
			if (!isOpen) throw new DOMException('the socket is not open', 'InvalidStateError');
			if (readable.locked || writable.locked) throw new DOMException('a stream of the socket is locked', 'InvalidStateError');
			if (reads) reader.close();
			if (writes) writer.error(new TypeError('the socket is closed'));
			[reads, writes] = [false, false];
			if (!over) socket.close();
			return closed.promise;
		},
	};
};

/** @param {any} message */
function noPeer(message) {
	if (message?.remoteAddress !== undefined || message?.remotePort !== undefined) throw new TypeError('a message of a connected UDPSocket has no remoteAddress and no remotePort');
	return null;
}

/** @param {any} message */
function peerOf(message) {
	return targetFrom(message?.remoteAddress, message?.remotePort);
}

/** @param {any} message */
function payloadOf(message) {
	const data = message?.data;
	const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
		: Object.prototype.toString.call(data) === '[object ArrayBuffer]' ? new Uint8Array(data) : null;
	if (!bytes) throw new TypeError(`${shown(data)} is no data of a message`);
	if (bytes.length > MAX_PAYLOAD) throw new TypeError(`a datagram of ${bytes.length} bytes, more than ${MAX_PAYLOAD}`);
	return bytes;
}
