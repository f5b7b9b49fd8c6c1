// What programs ask getaddrinfo() and gethostbyname() for, beside names of hosts: addresses in
// text, services, and names that are known without asking.

import { MAX_NAME_BYTES } from '../../wire/generated/limit.js';

/** No name ends in a number (RFC 1123, section 2.1): such a text is an address, or nothing. */
const NUMERIC = /^(0x[0-9a-f]*|\d+)$/i;
/** What a name is made of; others than ASCII's letters are the resolver's business. */
const LABEL = /^[a-z0-9_\u0080-\uffff]([a-z0-9_\u0080-\uffff-]*[a-z0-9_\u0080-\uffff])?$/i;
const MAX_LABEL = 63;
const LOOPBACK = '127.0.0.1';

/** Where Linux's connect() and sendto() go from an address that names no host. */
const OF_ANY = new Map([['0.0.0.0', LOOPBACK], ['::', '::1']]);

/** Returns the address that Linux sends to for one that a program gives. @param {string} address */
export const destination = (address) => OF_ANY.get(address) ?? address;

/**
 * Services that programs name, from IANA's registry.
 * @type {Record<string, number>}
 */
const SERVICES = {
	'echo': 7, 'discard': 9, 'daytime': 13, 'chargen': 19, 'ftp-data': 20, 'ftp': 21, 'ssh': 22, 'telnet': 23, 'smtp': 25, 'time': 37,
	'whois': 43, 'domain': 53, 'gopher': 70, 'finger': 79, 'http': 80, 'kerberos': 88, 'pop3': 110, 'nntp': 119, 'ntp': 123, 'imap2': 143,
	'imap': 143, 'snmp': 161, 'irc': 194, 'ldap': 389, 'https': 443, 'submissions': 465, 'submission': 587, 'ldaps': 636, 'ftps': 990,
	'imaps': 993, 'pop3s': 995, 'socks': 1080, 'ms-sql-s': 1433, 'mqtt': 1883, 'mysql': 3306, 'ms-wbt-server': 3389, 'postgresql': 5432,
	'amqp': 5672, 'vnc': 5900, 'redis': 6379, 'ircd': 6667, 'http-alt': 8080, 'secure-mqtt': 8883, 'git': 9418,
};

/**
 * Returns what a text stands for.
 * @param {string} text
 * @returns {{ kind: 'address', address: string } | { kind: 'name', name: string } | { kind: 'none' }}
 *   address: an IPv4 address, in four decimal parts; a literal of IPv6 counts as a name
 */
export function judgeName(text) {
	if (text.includes(':')) return { kind: 'name', name: text };
	const name = text.endsWith('.') ? text.slice(0, -1) : text;
	const labels = name.split('.');
	if (NUMERIC.test(labels[labels.length - 1])) {
		const address = text === name ? parseAddress(labels) : null;
		return address === null ? { kind: 'none' } : { kind: 'address', address };
	}
	if (name.length > MAX_NAME_BYTES || !labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label))) return { kind: 'none' };
	const top = labels[labels.length - 1].toLowerCase();
	if (top === 'localhost') return { kind: 'address', address: LOOPBACK };
	if (top === 'invalid') return { kind: 'none' };
	return { kind: 'name', name };
}

/**
 * The same for gethostbyname(), which takes only digits and dots for an address.
 * @param {string} text
 * @returns {ReturnType<typeof judgeName>}
 */
export function judgeHost(text) {
	const hexadecimal = NUMERIC.test(text.split('.').pop() ?? '') && !/^[\d.]+$/.test(text);
	return hexadecimal ? { kind: 'none' } : judgeName(text);
}

/**
 * An address in the forms of inet_aton(): one to four parts, decimal, octal or
 * hexadecimal; the last one fills the rest.
 * @param {string[]} parts
 * @returns {string | null}
 */
function parseAddress(parts) {
	if (parts.length > 4) return null;
	const numbers = parts.map((part) => {
		if (/^0x[0-9a-f]+$/i.test(part)) return parseInt(part, 16);
		if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
		return /^[1-9]\d*$/.test(part) ? parseInt(part, 10) : NaN;
	});
	const last = numbers.pop() ?? NaN;
	const room = 256 ** (4 - numbers.length);
	if (!(last < room) || numbers.some((number) => !(number < 256))) return null;
	const value = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
	return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/**
 * Returns the port of a service, a name or a number; null if there is none such.
 * @param {string} text
 */
export function portOf(text) {
	if (Object.hasOwn(SERVICES, text)) return SERVICES[text];
	return /^\s*\+?\d+$/.test(text) ? Number(text) & 0xffff : null;
}

/**
 * Returns the first service of a port, if one has a name.
 * @param {number} port
 */
export const serviceOf = (port) => Object.keys(SERVICES).find((name) => SERVICES[name] === port);
