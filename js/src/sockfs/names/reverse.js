// getnameinfo(): the name of an address, and that of a port.

import { encode, readAddress } from '../calls/sockaddr.js';
import { AF_INET6 } from '../flags.js';
import { address } from '../memory.js';
import { serviceOf } from './names.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('./lookup.js').Lookup} Lookup */
/** @typedef {(...args: any[]) => any} Call */

const EAI_BADFLAGS = -1;
const EAI_NONAME = -2;
const EAI_AGAIN = -3;
const EAI_FAMILY = -6;
const EAI_OVERFLOW = -12;
const NI_NUMERICHOST = 1;
const NI_NUMERICSERV = 2;
const NI_NAMEREQD = 8;
/** These, NI_NOFQDN, NI_DGRAM, NI_NUMERICSCOPE, and those of names that are not ASCII. */
const NI_KNOWN = 0x1ff;
/** What Emscripten's fake DNS gives out (dns.js). */
const FAKE = /^172\.(29|30|31)\./;
const LOOPBACK = /^(127\.|::1$)/;

/**
 * @param {Program} program
 * @param {(question: string) => Lookup | null} ask  null: the call is to be made again
 * @returns {Record<string, (before: Call) => Call>}
 */
export function reverseCalls(program, ask) {
	const bytes = () => new Uint8Array(program.heap32().buffer);

	/**
	 * @param {string} host
	 * @returns {string | undefined | null}  undefined: it has no name; null: the call is to be made again
	 */
	const nameOf = (host) => {
		if (LOOPBACK.test(host)) return 'localhost';
		const known = program.hosts.nameOf(host);
		if (FAKE.test(host)) return known === host ? undefined : known;
		const answer = ask(reverseName(host));
		if (answer === null) return null;
		// A thread that cannot wait knows the names that it has looked up.
		return answer.found[0] ?? (known === host ? undefined : known);
	};

	/** Writes a text, if there is room. @param {string} text @param {number | bigint} pointer @param {number} room */
	const put = (text, pointer, room) => {
		const encoded = new TextEncoder().encode(`${text}\0`);
		if (encoded.length > room) return false;
		bytes().set(encoded, address(pointer));
		return true;
	};

	return {
		getnameinfo: (before) => (sa, length, node, nodeRoom, service, serviceRoom, flags) => {
			const { errno, host, port, family } = readAddress(bytes().buffer, sa, length);
			if (flags & ~NI_KNOWN) return EAI_BADFLAGS;
			if (errno !== 0) return EAI_FAMILY;
			if (flags & NI_NAMEREQD && flags & NI_NUMERICHOST) return EAI_NONAME;
			if (node && nodeRoom) {
				const name = flags & NI_NUMERICHOST ? undefined : nameOf(host);
				if (name === null) return EAI_AGAIN;
				// Emscripten may know a name that its own functions have looked up.
				if (name === undefined && FAKE.test(host) && !(flags & NI_NUMERICHOST)) return before(sa, length, node, nodeRoom, service, serviceRoom, flags);
				if (name === undefined && flags & NI_NAMEREQD) return EAI_NONAME;
				const numeric = family === AF_INET6 && !host.includes(':') ? `::ffff:${host}` : host;
				if (!put(name ?? numeric, node, nodeRoom)) return EAI_OVERFLOW;
			}
			if (service && serviceRoom) {
				const name = flags & NI_NUMERICSERV ? undefined : serviceOf(port);
				if (!put(name ?? String(port), service, serviceRoom)) return EAI_OVERFLOW;
			}
			return 0;
		},
	};
}

/**
 * The name below which the DNS has the names of an address (RFC 1035, 3.5; RFC 3596, 2.5).
 * @param {string} host
 */
export function reverseName(host) {
	if (!host.includes(':')) return `${host.split('.').reverse().join('.')}.in-addr.arpa`;
	const digits = [...encode(AF_INET6, host, 0).subarray(8, 24)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
