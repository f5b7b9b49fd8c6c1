// getaddrinfo(), gethostbyname() and getnameinfo(), as a program's wasm imports them. Where the
// caller can wait, the server is asked. Elsewhere Emscripten gives every name an address of its
// own, which connect() turns back into the name.

import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM } from '../flags.js';
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
const EAI_BADFLAGS = -1;
const EAI_FAMILY = -6;
const EAI_SOCKTYPE = -7;
const EAI_SERVICE = -8;
const EAI_ADDRFAMILY = -9;
const AI_PASSIVE = 1;
const AI_CANONNAME = 2;
const AI_ADDRCONFIG = 0x20;
const AI_NUMERICHOST = 4;
const AI_V4MAPPED = 8;
const AI_ALL = 0x10;
const AI_NUMERICSERV = 0x400;
const AI_KNOWN = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV;
const LOOPBACK = Object.freeze(['127.0.0.1', '::1']);
const ANY = Object.freeze(['0.0.0.0', '::']);
/** Kinds of sockets with their protocols. Emscripten has no raw ones. @type {[number, number][]} */
const KINDS = [[SOCK_STREAM, 6], [SOCK_DGRAM, 17]];

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
			if (!connector.canWait || program.call.thread) {
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
		if (judged.name.includes(':')) {
			const six = parseSix(judged.name);
			return six === null ? { failure: EAI_NONAME, addresses: [] } : { failure: 0, addresses: [six] };
		}
		const answer = ask(judged.name);
		if (answer === null) return { failure: EAI_AGAIN, addresses: [] };
		return { failure: answer.state === 'missing' ? EAI_NONAME : 0, addresses: answer.found, name: judged.name };
	};

	const list = new AddressList(program);

	return {
		getaddrinfo: (before) => (node, service, hint, out) => {
			const none = typeof out === 'bigint' ? 0n : 0;
			const hints = address(hint);
			const [flags, family, type, protocol] = [0, 4, 8, 12].map((at) => (hints ? view().getInt32(hints + at, true) : 0));
			if (!node && !service) return EAI_NONAME;
			if (flags & ~AI_KNOWN || (flags & AI_CANONNAME && !node)) return EAI_BADFLAGS;
			if (![0, AF_INET, AF_INET6].includes(family)) return EAI_FAMILY;
			const kinds = KINDS.filter(([one, its]) => (type === 0 || type === one) && (protocol === 0 || protocol === its));
			if (kinds.length === 0) return EAI_SOCKTYPE;
			let port = 0;
			if (service) {
				const asked = text(service);
				const found = asked === '' ? 0 : portOf(asked);
				if (found !== null && flags & AI_NUMERICSERV && !/^\s*\+?\d*$/.test(asked)) return EAI_NONAME;
				if (found === null) return EAI_SERVICE;
				port = found;
			}
			const asked = node ? text(node) : '';
			if (node && flags & AI_NUMERICHOST && !asked.includes(':') && !(judgeName(asked).kind === 'address' && isNumeric(asked))) return EAI_NONAME;
			const found = node ? look(asked) : { failure: 0, addresses: nothing(family, flags) };
			if (found.failure) return found.failure;
			const addresses = ofFamily(found.addresses, family, flags);
			// A family that a name has no addresses of keeps the one that stands for the name.
			if (addresses.length === 0 && found.name === undefined) return EAI_ADDRFAMILY;
			const canon = flags & AI_CANONNAME ? { text: asked, at: address(node) } : undefined;
			// SOCKFS knows AI_ADDRCONFIG and fails: the addresses that it gives are those of
			// the host's kind.
			if (flags & AI_ADDRCONFIG) view().setInt32(hints, flags & ~AI_ADDRCONFIG, true);
			try {
				// Emscripten's function makes the entries; what they say is ours.
				const call = (/** @type {any} */ given, own = node) => before(own, none, given, out);
				return list.make({ call, hint, out, addresses, kinds, port, name: found.name, canon });
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

/**
 * The addresses of no host: those of this one, or all that it listens at. Programs that take any family
 * get IPv4's, by which all sockets work.
 * @param {number} family
 * @param {number} flags  AI_*
 */
const nothing = (family, flags) => (flags & AI_PASSIVE ? ANY : LOOPBACK).slice(...(family === AF_INET6 ? [1] : [0, 1]));

/** An address of IPv6, null if a text is none. A zone counts for nothing here. @param {string} text */
function parseSix(text) {
	try {
		return new URL(`http://[${text.replace(/%.*/, '')}]`).hostname.slice(1, -1);
	} catch {
		return null;
	}
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
