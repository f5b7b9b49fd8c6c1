// Incoming connections: the records of a listen stream (docs/PROTOCOL.md, 5.4).

/** In the table of kinds (kinds.js). @type {import('./kinds.js').KindRow} */
export const listenRow = { socket: true, port: false };

/** Its request has a number where others have a port, and no host. @type {import('./kinds.js').KindRow} */
export const acceptRow = { socket: true, port: false, any: true };

/**
 * An incoming connection.
 * @typedef {object} Incoming
 * @property {number} number  the port of the accept stream that takes it
 * @property {string} addr  of the other end
 * @property {number} port
 * @property {number} bytes  of its record
 */

const LENGTH_BYTES = 2;
const FORM_AT = 4;
const ADDRESS_AT = 5;

/** Takes bytes and gives records. */
export class Records {
	/** Whole records that were not taken yet. @type {Incoming[]} */
	queue = [];
	#rest = new Uint8Array(0);

	/** @param {Uint8Array} bytes */
	put(bytes) {
		let all = new Uint8Array(this.#rest.length + bytes.length);
		all.set(this.#rest);
		all.set(bytes, this.#rest.length);
		for (;;) {
			if (all.length < LENGTH_BYTES) break;
			const view = new DataView(all.buffer, all.byteOffset, all.length);
			const end = LENGTH_BYTES + view.getUint16(0);
			if (all.length < end) break;
			const six = view.getUint8(FORM_AT) === 6;
			const portAt = ADDRESS_AT + (six ? 16 : 4);
			const addr = six ? textOf(view) : all.subarray(ADDRESS_AT, portAt).join('.');
			this.queue.push({ number: view.getUint16(LENGTH_BYTES), addr, port: view.getUint16(portAt), bytes: end });
			all = all.subarray(end);
		}
		this.#rest = all;
	}
}

/** An IPv6 address as browsers write it. @param {DataView} view */
function textOf(view) {
	const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(ADDRESS_AT + 2 * i).toString(16));
	return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/**
 * What a listen stream is sent.
 * @param {number} backlog  as listen() has it
 */
export function backlogBytes(backlog) {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, Math.max(0, backlog));
	return bytes;
}
