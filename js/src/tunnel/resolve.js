// Names: asks the server for the addresses of one, by a stream of the kind resolve.

import * as CODES from '../wire/generated/code.js';
import { text } from '../wire/events.js';
import * as KIND from '../wire/generated/kind.js';

/** In the table of kinds (kinds.js). @type {import('./kinds.js').KindRow} */
export const resolveRow = { socket: false, port: false };

/**
 * What a name resolves to.
 * @typedef {object} Names
 * @property {string[]} addresses  those that the server's policy lets pages reach, in the order in which to try them
 * @property {number} ttl  seconds for which the answer is good
 */

/**
 * @typedef {object} ResolveOptions
 * @property {number} [timeoutMs]  absent: as long as the server takes
 * @property {4 | 6} [family]  only addresses of that family; absent: of both
 */

/**
 * @param {Pick<import('./tunnel.js').Tunnel, 'open'>} tunnel
 * @param {string} name
 * @param {ResolveOptions} [options]
 * @returns {Promise<Names>}  rejects with an Error that has the fields of an Ending, such as the name name_not_found
 */
export function resolve(tunnel, name, { timeoutMs, family } = {}) {
	return new Promise((fulfil, reject) => {
		/** The TTL, then the addresses. @type {string[]} */
		let lines = [];
		const stream = tunnel.open({ kind: KIND.resolve, host: name, port: 0, timeoutMs, family, quiet: true }, {
			ondata(bytes) {
				lines = text(bytes).split('\n');
			},
			oneof: () => stream.close(),
			onclose(why) {
				const [ttl, ...addresses] = lines;
				if (why.code === CODES.ok) fulfil({ addresses, ttl: Number(ttl) });
				else reject(Object.assign(new Error(`${name}: ${why.text || why.name}`), why));
			},
		});
	});
}
