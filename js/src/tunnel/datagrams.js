// Datagrams over a stream of the kind udp: its bytes are records (docs/PROTOCOL.md, 5.3).

import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';
import { DOTTED, dotted, groups, ofGroups, parts } from './ip.js';
import { isIPv6 } from './target.js';

/** @typedef {{ host: string, port: number }} Peer  a name, or an address without brackets */
/** @typedef {{ peer: Peer | null, bytes: Uint8Array<ArrayBuffer> }} Datagram  peer: null on a connected socket */
/** @typedef {{ peer: Peer | null, code: number, text: string }} Report */
/** @typedef {import('./stream.js').Stream} Stream */

/** Bytes of a datagram at most. */
export const MAX_PAYLOAD = 65507;

const MAX_NAME = 253;
const MAX_TEXT = 512;
const FORM = Object.freeze({ none: 0, name: 1, four: 4, six: 6, report: 255 });

/** Bytes that the server may send ahead of the program. The rest it drops. */
const IN_BYTES = 256 * 1024;
/** Taken bytes are granted again in pieces of this size. */
const GRANT_BYTES = IN_BYTES / 4;
/** Bytes that wait for the line at most. What is beyond is dropped. */
const OUT_BYTES = 256 * 1024;

/**
 * @param {Peer | null} peer
 * @param {Uint8Array} payload  of at most MAX_PAYLOAD bytes
 * @returns {Uint8Array}
 */
export function encode(peer, payload) {
	const head = [payload.length >> 8, payload.length & 255];
	if (!peer) head.push(FORM.none);
	else {
		const { host, port } = peer;
		if (DOTTED.test(host)) head.push(FORM.four, ...parts(host));
		else if (isIPv6(host)) head.push(FORM.six, ...ofGroups(new URL(`http://[${host}]/`).hostname.slice(1, -1)));
		else {
			const name = new TextEncoder().encode(host);
			head.push(FORM.name, name.length, ...name);
		}
		head.push(port >> 8, port & 255);
	}
	const record = new Uint8Array(head.length + payload.length);
	record.set(head);
	record.set(payload, head.length);
	return record;
}

/** @param {Uint8Array[]} records */
function joined(records) {
	const all = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const record of records) {
		all.set(record, at);
		at += record.length;
	}
	return all;
}

/** Takes the bytes of a stream apart. */
export class Decoder {
	/** What is incomplete. @type {Uint8Array} */
	#rest = new Uint8Array(0);

	/**
	 * Calls back with each record that the bytes complete. Throws for what is no record.
	 * @param {Uint8Array} bytes
	 * @param {(record: Datagram | Report, size: number) => void} take  size: bytes of the record
	 */
	decode(bytes, take) {
		let all = bytes;
		if (this.#rest.length > 0) {
			all = new Uint8Array(this.#rest.length + bytes.length);
			all.set(this.#rest);
			all.set(bytes, this.#rest.length);
		}
		let at = 0;
		for (;;) {
			const record = read(all.subarray(at));
			if (!record) break;
			at += record.size;
			take(record.value, record.size);
		}
		this.#rest = all.slice(at);
	}
}

/**
 * Reads the record that the bytes begin; null: there is more to come.
 * @param {Uint8Array} bytes
 * @returns {{ value: Datagram | Report, size: number } | null}
 */
function read(bytes) {
	if (bytes.length < 3) return null;
	const length = bytes[0] * 256 + bytes[1];
	let at = 2;
	let form = bytes[at++];
	let code = 0;
	if (form === FORM.report) {
		if (bytes.length < 6) return null;
		code = bytes[3] * 256 + bytes[4];
		form = bytes[5];
		at = 6;
		if (code === CODES.ok) throw new Error('a report with the code ok');
	}
	const bound = code === 0 ? MAX_PAYLOAD : MAX_TEXT;
	if (length > bound) throw new Error(`a datagram of ${length} bytes, more than ${bound}`);
	let size = form === FORM.four ? 4 : form === FORM.six ? 16 : 0;
	if (form === FORM.name) {
		if (bytes.length <= at) return null;
		size = bytes[at++];
		if (size === 0 || size > MAX_NAME) throw new Error(`a datagram with a name of ${size} bytes`);
	} else if (size === 0 && form !== FORM.none) throw new Error(`a datagram with an address of form ${form}`);
	const start = form === FORM.none ? at : at + size + 2;
	if (bytes.length < start + length) return null;
	/** @type {Peer | null} */
	let peer = null;
	if (form !== FORM.none) {
		const host = bytes.subarray(at, at + size);
		peer = {
			host: form === FORM.name ? new TextDecoder().decode(host) : form === FORM.four ? dotted(host) : groups(host),
			port: bytes[start - 2] * 256 + bytes[start - 1],
		};
	}
	const payload = /** @type {Uint8Array<ArrayBuffer>} */ (bytes.slice(start, start + length));
	return { value: code === 0 ? { peer, bytes: payload } : { peer, code, text: new TextDecoder().decode(payload) }, size: start + length };
}

/**
 * @typedef {object} Handlers
 * @property {import('./stream.js').Handlers['onopen']} [onopen]
 * @property {() => void} onarrival  there is a datagram more
 * @property {(report: Report) => void} onreport
 * @property {(why: import('../wire/codes.js').Ending) => void} onclose  last
 */

/** One socket for datagrams. */
export class Datagrams {
	/** Datagrams that were dropped at this end. */
	dropped = 0;
	/** It can send and receive. */
	alive = true;
	/** The server has answered that it is there. */
	opened = false;
	/** Takes datagrams from this peer only; null: from every one. @type {Peer | null} */
	only = null;
	#stream;
	#decoder = new Decoder();
	/** @type {{ datagram: Datagram, size: number }[]} */
	#arrived = [];
	#ungranted = 0;
	#unsent = 0;
	/** Records that go with the next write. @type {Uint8Array[]} */
	#gathered = [];

	/**
	 * @param {(request: import('./stream.js').Request, handlers: import('./stream.js').Handlers) => Pick<Stream, 'write' | 'grant' | 'close' | 'reset'>} open
	 * @param {{ kind?: number, host: string, port: number, family?: 4 | 6, timeoutMs?: number }} request  without a host: not connected; of the
	 *   kind udp_bound: the address to bind
	 * @param {Handlers} handlers
	 */
	constructor(open, request, { onopen, onarrival, onreport, onclose }) {
		this.#stream = open({ kind: KIND.udp, ...request, window: IN_BYTES, quiet: true }, {
			onopen: (ends) => {
				this.opened = true;
				onopen?.(ends);
			},
			ondata: (bytes) => {
				try {
					this.#decoder.decode(bytes, (record, size) => {
						if ('code' in record) {
							this.#grant(size);
							onreport(record);
							return;
						}
						if (this.only && !(record.peer?.host === this.only.host && record.peer.port === this.only.port)) {
							this.#grant(size);
							return;
						}
						this.#arrived.push({ datagram: record, size });
						onarrival();
					});
				} catch {
					this.#stream.reset(CODES.protocol);
				}
			},
			// The server has closed the socket: nothing is sent any more either.
			oneof: () => this.#stream.close(),
			onwritten: (bytes) => {
				this.#unsent -= bytes;
			},
			onclose: (why) => {
				this.alive = false;
				onclose(why);
			},
		});
	}

	/** The datagram that take() gives next. */
	get next() {
		return this.#arrived[0]?.datagram ?? null;
	}

	/** Takes out the oldest datagram; null: there is none. */
	take() {
		const oldest = this.#arrived.shift();
		if (!oldest) return null;
		this.#grant(oldest.size);
		return oldest.datagram;
	}

	/**
	 * Sends a datagram, or drops it: false.
	 * @param {Peer | null} peer  null on a connected socket
	 * @param {Uint8Array} payload  of at most MAX_PAYLOAD bytes; copied
	 * @param {boolean} [more]  it leaves with the next one, or with flush(): each write is a message
	 */
	send(peer, payload, more = false) {
		const record = encode(peer, payload);
		const fits = this.alive && this.#unsent + record.length <= OUT_BYTES;
		if (fits) {
			this.#unsent += record.length;
			this.#gathered.push(record);
		} else this.dropped++;
		if (!more) this.flush();
		return fits;
	}

	/** Sends what waits for more. */
	flush() {
		const records = this.#gathered;
		if (records.length === 0) return;
		this.#gathered = [];
		this.#stream.write(records.length === 1 ? records[0] : joined(records));
	}

	/** Closes the socket behind what was sent. */
	close() {
		this.flush();
		this.alive = false;
		this.#arrived = [];
		this.#stream.close();
	}

	/** @param {number} bytes */
	#grant(bytes) {
		this.#ungranted += bytes;
		if (this.#ungranted < GRANT_BYTES) return;
		this.#stream.grant(this.#ungranted);
		this.#ungranted = 0;
	}
}
