// getaddrinfo(), gethostbyname() and getnameinfo(), as a program's wasm imports them. Where the
// caller can wait, the server is asked. Elsewhere Emscripten gives every name an address of its
// own, which connect() turns back into the name.

import { AddressList } from './address-list.js';
import { lookAgainAt } from './lookup.js';
import { judgeHost, judgeName, portOf } from './names.js';
import { reverseCalls } from './reverse.js';
import { address } from '../memory.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('./lookup.js').Lookup} Lookup */
/** @typedef {(...args: any[]) => any} Call */

export const EAI_NONAME = -2;
const EAI_AGAIN = -3;
const EAI_SERVICE = -8;
const AI_ADDRCONFIG = 0x20;
const AI_NUMERICHOST = 4;
const AI_V4MAPPED = 8;
const AI_ALL = 0x10;
const AI_NUMERICSERV = 0x400;
const AF_INET = 2;
const AF_INET6 = 10;
const LOOPBACK = Object.freeze(['127.0.0.1', '::1']);

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
	 * Asks the server.
	 * @param {string} question
	 * @returns {Lookup | null}  null: the call is to be made again
	 */
	const ask = (question) => {
		if (!connector.lookup || !(connector.canWait || program.call.retries)) return { state: 'found', found: [] };
		for (;;) {
			const answer = connector.lookup(question);
			if (answer.state !== 'asking') return answer;
			const until = lookAgainAt();
			if (!connector.canWait) {
				program.call.wait = { until };
				return null;
			}
			if (connector.interrupted?.()) return null;
			connector.wait(until - performance.now());
		}
	};

	/**
	 * What a text stands for. failure: EAI_*, 0 if there is none; name: absent for an address;
	 * without addresses, the one that Emscripten gives is right.
	 * @param {string} node
	 * @param {typeof judgeName} [judge]
	 * @returns {{ failure: number, addresses: readonly string[], name?: string }}
	 */
	const look = (node, judge = judgeName) => {
		const judged = judge(node);
		if (judged.kind === 'none') return { failure: EAI_NONAME, addresses: [] };
		if (judged.kind === 'address') return { failure: 0, addresses: isNumeric(node) ? [judged.address] : LOOPBACK };
		if (judged.name.includes(':')) return { failure: 0, addresses: [] };
		const answer = ask(judged.name);
		if (answer === null) return { failure: EAI_AGAIN, addresses: [] };
		return { failure: answer.state === 'missing' ? EAI_NONAME : 0, addresses: answer.found, name: judged.name };
	};

	const list = new AddressList(program);

	return {
		getaddrinfo: (before) => (node, service, hint, out) => {
			const wide = typeof out === 'bigint';
			const none = wide ? 0n : 0;
			const hints = address(hint);
			const flags = hints ? view().getInt32(hints, true) : 0;
			const family = hints ? view().getInt32(hints + 4, true) : 0;
			/** @type {number | null} */
			let port = null;
			if (service) {
				const asked = text(service);
				port = asked === '' ? 0 : portOf(asked);
				if (port === null) return EAI_SERVICE;
				if (flags & AI_NUMERICSERV && !/^\s*\+?\d*$/.test(asked)) return EAI_NONAME;
			}
			const asked = node ? text(node) : '';
			if (node && flags & AI_NUMERICHOST && !asked.includes(':') && !(judgeName(asked).kind === 'address' && isNumeric(asked))) return EAI_NONAME;
			const found = node ? look(asked) : null;
			if (found?.failure) return found.failure;
			// SOCKFS knows the flag and fails: the addresses that it gives are those of
			// the host's kind.
			if (flags & AI_ADDRCONFIG) view().setInt32(hints, flags & ~AI_ADDRCONFIG, true);
			const named = port !== null && node;
			const call = (/** @type {any} */ given) => before(node, named ? none : service, given, out);
			try {
				const addresses = ofFamily(found?.addresses ?? [], family, flags);
				if (found && (addresses.length > 0 || found.name !== undefined)) {
					// A family that the name has no addresses of keeps the one that stands for it.
					return list.make({ call, hint, out, addresses, port: port ?? 0, name: found.name });
				}
				if (found && found.addresses.length > 0) return EAI_NONAME;
				const result = call(hint);
				if (result === 0 && named) list.setPort(out, Number(port));
				if (result === 0 && !node && family === AF_INET6) list.setNull(out, flags);
				return result;
			} finally {
				if (flags & AI_ADDRCONFIG) view().setInt32(hints, flags, true);
			}
		},

		/**
		 * gethostbyname() of Emscripten 4 and later, in C; it cannot fail: no address is
		 * better than another host's.
		 */
		_emscripten_lookup_name: (before) => (name) => {
			const asked = text(name);
			const found = look(asked, judgeHost);
			program.missing = found.failure === EAI_NONAME ? asked : null;
			if (found.failure) return 0;
			const [first] = ofFamily(found.addresses, AF_INET, 0);
			const result = first === undefined ? before(name) : first.split('.').reduce((sum, part, i) => sum | (Number(part) << (8 * i)), 0);
			if (found.name !== undefined) program.hosts.note(found.name, [0, 8, 16, 24].map((shift) => (result >> shift) & 255).join('.'));
			return result;
		},

		...reverseCalls(program, ask),
	};
}

/** Whether a text that is an address is written in numbers. @param {string} node */
const isNumeric = (node) => /^\d/.test(node);

/**
 * The addresses that a program asks for.
 * @param {readonly string[]} addresses
 * @param {number} family
 * @param {number} flags  AI_*
 */
function ofFamily(addresses, family, flags) {
	const four = addresses.filter((one) => !one.includes(':'));
	if (family === AF_INET) return four;
	if (family !== AF_INET6) return addresses;
	const six = addresses.filter((one) => one.includes(':'));
	const mapped = flags & AI_V4MAPPED && (six.length === 0 || flags & AI_ALL) ? four.map((one) => `::ffff:${one}`) : [];
	return [...six, ...mapped];
}
