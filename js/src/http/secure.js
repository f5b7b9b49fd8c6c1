// TLS for connect(): what carries a stream of plaintext over a stream of the tunnel.

import { reasonOf } from '../engine/tasks.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as EVENT from '../wire/generated/event.js';
import * as MESSAGE from '../wire/generated/https.js';
import { tlsSettings } from './options.js';

/** @typedef {import('../tunnel/stream.js').Stream} Stream */
/** @typedef {import('../tunnel/stream.js').StreamCommands} StreamCommands */
/** @typedef {import('../wire/codes.js').Ending} Ending */

/**
 * @typedef {import('./options.js').TlsChoices & { sni?: string, alpn?: readonly string[] }} SecureChoices
 *   sni: the name that the certificate must have; default: the host. alpn: protocols to agree on
 */

/**
 * What carries nothing.
 * @type {StreamCommands}
 */
const INERT = { open() {}, write() {}, closeWrite() {}, stop() {}, reset() {}, grant() {}, setSocketOptions() {}, resumeSoon() {} };

/**
 * Returns what begins TLS.
 * @param {import('./client.js').Client} client
 * @param {Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
 */
export const secureOf = (client, tunnel) =>
	/**
	 * Resolves with what carries a stream (Tunnel.openOver), when TLS may begin.
	 * @param {{ request: import('../tunnel/stream.js').Request, plain?: import('../api/socket.js').Plain, choices?: SecureChoices }} parts
	 *   plain: what a socket has been so far. request: that of a stream of its own, where there is none
	 * @returns {Promise<(stream: Stream) => StreamCommands>}
	 */
	async ({ request, plain, choices = {} }) => {
		let given;
		try {
			given = checked(request.host, choices);
		} catch (error) {
			const why = ending(CODES.invalid_request, reasonOf(error));
			plain?.stream.reset();
			return (stream) => {
				setTimeout(() => stream.end(why));
				return INERT;
			};
		}
		if (plain) await handedOver(plain, request.window ?? 0);
		return (stream) => carry(client, given, stream, (handlers) => {
			if (!plain) return tunnel.open(request, handlers);
			Object.assign(plain.handlers, handlers);
			if (plain.stream.ending) handlers.onclose?.(plain.stream.ending);
			plain.end();
			return plain.stream;
		});
	};

/**
 * Waits until a socket is open and what was written to it is with its stream.
 * @param {import('../api/socket.js').Plain} plain
 * @param {number} window
 */
async function handedOver({ stream, sink, readable, opened }, window) {
	const flushed = new Promise((resolve) => {
		sink.finish(() => resolve(undefined));
	});
	await Promise.all([opened, flushed]).catch(() => {});
	// What came before TLS must not count as what comes in it.
	if (readable.desiredSize !== window) stream.reset(CODES.protocol);
}

/**
 * @param {import('./client.js').Client} client
 * @param {ReturnType<typeof checked>} settings
 * @param {Stream} stream  of plaintext
 * @param {(handlers: import('../tunnel/stream.js').Handlers) => Stream} openRaw
 * @returns {StreamCommands}
 */
function carry(client, { sni, alpn, tls }, stream, openRaw) {
	const id = client.nextId();
	let finished = false;
	let stopped = false;
	/** Whether the program has the connection. */
	let running = true;
	/** What TLS failed with. @type {Ending | null} */
	let failure = null;
	/** How the stream below ended. @type {Ending | null} */
	let below = null;
	/** @param {number} kind @param {number} [a] @param {number} [b] @param {Uint8Array} [data] */
	const deliver = (kind, a = 0, b = 0, data = new Uint8Array(0)) => stream.deliver({ kind, id: stream.id, a, b, data });
	const settle = () => {
		if (running || !below) return;
		const { code, text } = failure ?? below;
		deliver(EVENT.closed, code, 0, new TextEncoder().encode(text));
	};
	/** @type {Stream} */
	let raw;
	const begin = () => {
		client.begin(MESSAGE.Secure, id, tls, `${sni}\0${alpn.join(',')}`, {
			onhead(bytes) {
				const { bound, remote } = raw.ends;
				const ends = [bound?.addr ?? '', remote?.addr ?? '', ...(bytes.length > 0 ? [new TextDecoder().decode(bytes)] : [])];
				deliver(EVENT.opened, bound?.port, remote?.port, new TextEncoder().encode(ends.join('\0')));
			},
			ondata(bytes) {
				if (stopped) client.send(MESSAGE.Grant, id, bytes.length);
				else deliver(EVENT.data, 0, 0, bytes);
			},
			oneof: () => deliver(EVENT.eof),
			onend() {
				running = false;
				settle();
			},
			onfail(why) {
				running = false;
				failure = why;
				raw.reset();
				settle();
			},
			ontook: (bytes) => deliver(EVENT.written, bytes),
		});
		raw = openRaw(client.handlersOf(id, (why) => {
			below = why;
			settle();
		}));
		client.adopt(id, raw);
	};
	return {
		open: begin,
		write: (_, bytes) => client.send(MESSAGE.Give, id, 0, /** @type {Uint8Array<ArrayBuffer>} */ (bytes.slice())),
		closeWrite() {
			finished = true;
			client.send(MESSAGE.Finish, id, stopped ? 1 : 0);
		},
		stop() {
			stopped = true;
			if (finished) client.send(MESSAGE.Finish, id, 1);
		},
		reset(_, code) {
			running = false;
			client.abort(id);
			raw.reset(code);
			settle();
		},
		grant: (_, bytes) => client.send(MESSAGE.Grant, id, bytes),
		setSocketOptions: (_, options) => raw.setSocketOptions(options),
		resumeSoon() {},
	};
}

/**
 * Reads the options. Throws a TypeError.
 * @param {string} host
 * @param {SecureChoices} choices
 */
function checked(host, { sni = host, alpn = [], ...given }) {
	const tls = tlsSettings(given, 'connect: tls', ['sni', 'alpn']);
	if (typeof sni !== 'string' || !/^[!-~]+$/.test(sni)) throw new TypeError('connect: tls.sni is no host name');
	if (!Array.isArray(alpn) || !alpn.every((name) => /^[!-+\--~]{1,255}$/.test(name))) throw new TypeError('connect: tls.alpn is no list of names of protocols');
	return { sni, alpn, tls };
}
