// Names: asks the server for the addresses of one, or for the names of an address, by a stream of
// the kind resolve.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';
import { MAX_ADDRESSES_BYTES } from '../wire/generated/limit.js';

/** In the table of kinds (kinds.js). @type {import('./kinds.js').KindRow} */
export const resolveRow = { socket: false, port: false };

/** @typedef {import('../wire/addresses.js').Names} Names */

/**
 * @typedef {object} ResolveOptions
 * @property {number} [timeoutMs]  absent: as long as the server takes
 * @property {4 | 6} [family]  only addresses of that family; absent: of both
 * @property {AbortSignal} [signal]  ends the question
 */

/** Resolves a name. It is what a part of the script needs of the tunnel to do so. @typedef {(name: string) => Promise<Names>} Resolve */

/**
 * @param {Pick<import('./tunnel.js').Tunnel, 'open'>} tunnel
 * @param {(answer: Uint8Array) => Names | null} decode  reads an answer; null: it is malformed
 * @param {string} name
 * @param {ResolveOptions} [options]
 * @returns {Promise<Names>}  rejects with an Error that has the fields of an Ending, such as the name name_not_found
 */
export function resolve(tunnel, decode, name, { timeoutMs, family, signal } = {}) {
	return new Promise((fulfil, reject) => {
		const answer = new Uint8Array(MAX_ADDRESSES_BYTES + 3); // its length has two, and one is too many
		let length = 0;
		const stream = tunnel.open({ kind: KIND.resolve, host: name, port: 0, timeoutMs, family, window: answer.length, quiet: true }, {
			ondata(bytes) {
				answer.set(bytes, length); // the window keeps it within
				length += bytes.length;
				if (length === answer.length) stream.reset(CODES.protocol);
			},
			oneof: () => stream.close(),
			onclose(why) {
				signal?.removeEventListener('abort', abort);
				if (why.code === CODES.ok) {
					const names = decode(answer.subarray(0, length));
					if (names) fulfil(names);
					why = ending(CODES.protocol, 'malformed addresses');
				}
				reject(Object.assign(new Error(name), why)); // no matter where it is fulfilled
			},
		});
		const abort = () => stream.reset();
		signal?.addEventListener('abort', abort);
		if (signal?.aborted) abort();
	});
}
