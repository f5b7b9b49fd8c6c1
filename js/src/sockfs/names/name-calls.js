// getaddrinfo() and gethostbyname(), as a program's wasm imports them. Emscripten gives
// every name an address of its own, which connect() turns back into the name; here texts
// that are no names are told apart, services have their ports, and names that do not
// exist fail where the caller can wait.

import { address } from '../memory.js';
import { lookAgainAt } from './lookup.js';
import { judgeHost, judgeName, portOf } from './names.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {(...args: any[]) => any} Call */

const EAI_NONAME = -2;
const EAI_AGAIN = -3;
const EAI_SERVICE = -8;
const AI_ADDRCONFIG = 0x20;
const AI_NUMERICHOST = 4;
const AI_NUMERICSERV = 0x400;
const AF_INET6 = 10;
/** Where sockaddr_in has its address, and sockaddr_in6 the last four bytes of a mapped one. */
const IN_ADDR = 4;
const IN6_MAPPED = 20;

/**
 * @param {Program} program
 * @param {import('../connector.js').Connector} connector
 * @returns {Record<string, (before: Call) => Call>}
 */
export function nameCalls(program, connector) {
	const view = () => new DataView(program.heap32().buffer);
	const text = (/** @type {number | bigint} */ pointer) => {
		const bytes = new Uint8Array(program.heap32().buffer);
		const at = address(pointer);
		return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
	};

	/**
	 * Whether a name exists.
	 * @param {string} name
	 * @returns {'found' | 'missing' | 'again'} again: the call is to be made again
	 */
	const exists = (name) => {
		if (!connector.lookup || !(connector.canWait || program.call.retries)) return 'found';
		for (;;) {
			const state = connector.lookup(name);
			if (state !== 'asking') return state;
			const until = lookAgainAt();
			if (!connector.canWait) {
				program.call.wait = { until };
				return 'again';
			}
			connector.wait(until - performance.now());
		}
	};

	/** @param {string} node @param {typeof judgeName} [judge] @returns {{ address?: string, failure?: number }} */
	const look = (node, judge = judgeName) => {
		const judged = judge(node);
		if (judged.kind === 'address') return { address: judged.address };
		if (judged.kind === 'none') return { failure: EAI_NONAME };
		if (judged.name.includes(':')) return {};
		const state = exists(judged.name);
		return state === 'found' ? {} : { failure: state === 'missing' ? EAI_NONAME : EAI_AGAIN };
	};

	return {
		getaddrinfo: (before) => (node, service, hint, out) => {
			const wide = typeof out === 'bigint';
			const none = wide ? 0n : 0;
			const hints = address(hint);
			const flags = hints ? view().getInt32(hints, true) : 0;
			/** @type {ReturnType<typeof look>} */
			let found = {};
			/** @type {number | null} */
			let port = null;
			if (service) {
				const asked = text(service);
				port = asked === '' ? 0 : portOf(asked);
				if (port === null) return EAI_SERVICE;
				if (flags & AI_NUMERICSERV && !/^\s*\+?\d*$/.test(asked)) return EAI_NONAME;
			}
			if (node) {
				const asked = text(node);
				if (flags & AI_NUMERICHOST && judgeName(asked).kind !== 'address' && !asked.includes(':')) return EAI_NONAME;
				found = look(asked);
				if (found.failure) return found.failure;
			}
			// SOCKFS knows the flag and fails: the addresses that it gives are those of
			// the host's kind.
			if (flags & AI_ADDRCONFIG) view().setInt32(hints, flags & ~AI_ADDRCONFIG, true);
			const named = port !== null && node;
			let result;
			try {
				result = before(node, named ? none : service, hint, out);
			} finally {
				if (flags & AI_ADDRCONFIG) view().setInt32(hints, flags, true);
			}
			if (result !== 0) return result;
			const memory = view();
			const pointer = (/** @type {number} */ at) => (wide ? Number(memory.getBigUint64(at, true)) : memory.getUint32(at, true));
			const info = pointer(address(out));
			const sockaddr = pointer(info + (wide ? 24 : 20));
			if (named) memory.setUint16(sockaddr + 2, Number(port));
			if (found.address) {
				const at = sockaddr + (memory.getInt32(info + 4, true) === AF_INET6 ? IN6_MAPPED : IN_ADDR);
				found.address.split('.').forEach((part, i) => memory.setUint8(at + i, Number(part)));
			}
			return 0;
		},

		/**
		 * gethostbyname() of Emscripten 4 and later, in C; it cannot fail: no address is
		 * better than another host's.
		 */
		_emscripten_lookup_name: (before) => (name) => {
			const asked = text(name);
			const found = look(asked, judgeHost);
			program.missing = found.failure === EAI_NONAME ? asked : null;
			if (program.missing !== null) return 0;
			if (!found.address) return before(name);
			return found.address.split('.').reduce((sum, part, i) => sum | (Number(part) << (8 * i)), 0);
		},
	};
}
