// Patterns of targets, in the grammar of the server's --allow
// (server/relay/policy/rule.go). Both halves are tested with
// shared/testdata/patterns.json.

import { isIPv6 } from '../tunnel/target.js';

/** @typedef {import('./target.js').Target} Target */

/** Protocol, host in three forms ([IPv6] with /BITS, without a colon, bare IPv6), ports. */
const PARTS = /^(?:(tc|ud)p:\/\/)?(?:\[([^\]]*:[^\]]*)\](\/\d+)?|([^[:]*)|([^[]*:[^[]*:[^[]*?))(?::(?:(\d+)(?:-(\d+))?|\*))?$/;

/** A name of at most 253 bytes, labels of at most 63 (RFC 1035, 2.3.4). The last is no number. */
const NAME = /^(?!.{254})(?!(.*\.)?(\d+|0x[\da-f]*)\.?$)((?!-)[\w-]{1,63}(?<!-)(\.|$))+$/i;

const MAX_PORT = 65535;

/** A second spelling of IPv4 addresses (RFC 4291, 2.5.5.2), which no pattern names. */
const MAPPED = /^0{80}1{16}/;

/**
 * What "public" leaves out: where hosts of an organization or of this machine are. The
 * server knows the rest.
 */
const INTERNAL = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '::/16', 'f000::/4'];

/**
 * Makes a test of targets. Throws a TypeError that names the pattern.
 * A name has no address here, so patterns with addresses fit no name, and "public" fits every name.
 * @param {string} pattern
 * @returns {(target: Target) => boolean}
 */
export function compilePattern(pattern) {
	const [all, protocol, inner, bits = '', plain, bare, first, last = first] = PARTS.exec(pattern) ?? [];
	const [from, to] = first ? [+first, +last] : [1, MAX_PORT];
	const fits = hostTest(inner ? inner + bits : plain ?? bare ?? '');
	if (all === undefined || fits === null || from < 1 || from > to || to > MAX_PORT) {
		throw new TypeError(`match: ${JSON.stringify(pattern)}: want HOST or HOST:PORT, where HOST is a name, *.NAME, *, an address, ADDRESS/BITS or public `
			+ '(IPv6 in []), and PORT is a number, FIRST-LAST or *');
	}
	return ({ host, port }) => protocol !== 'ud' && from <= port && port <= to && fits(canonical(host));
}

/** @param {string} host */
const canonical = (host) => host.toLowerCase().replace(/\.$/, '');

/**
 * @param {string} text
 * @returns {((host: string) => boolean) | null} null: it is no host
 */
function hostTest(text) {
	const host = canonical(text);
	if (text === '*') return () => true;
	if (host === 'public') {
		const internal = INTERNAL.map(netTest);
		return (given) => !internal.some((fits) => fits?.(given));
	}
	// Programs that ask for localhost dial its address.
	if (NAME.test(text)) return (given) => given === host || (host === 'localhost' && /^(127\.0\.0\.1|::1)$/.test(given));
	if (host.startsWith('*.') && NAME.test(text.slice(2))) return (given) => given.endsWith(host.slice(1));
	return netTest(host);
}

/** @param {string} text  ADDRESS or ADDRESS/BITS */
function netTest(text) {
	const [address, bits, ...more] = text.split('/');
	const digits = binary(address);
	const length = bits === undefined ? digits.length : +bits;
	if (!digits || more.length > 0 || (bits && `${length}` !== bits) || length > digits.length || digits.includes('1', length) || MAPPED.test(digits)) return null;
	return (/** @type {string} */ host) => {
		const given = binary(host);
		return given.length === digits.length && given.startsWith(digits.slice(0, length));
	};
}

/** The bits of an address as text; '' for a name. @param {string} host */
function binary(host) {
	const isIPv4 = /^\d+\.[\d.]+$/.test(host);
	// As a part of an IPv6 address, an IPv4 address has four decimal numbers and no other form.
	const address = isIPv4 ? `::ffff:${host}` : host;
	if (!isIPv6(address)) return '';
	const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
	const full = short.replace('::', `:${'0:'.repeat(8 - (short.match(/\w+/g)?.length ?? 0))}`);
	const digits = full.replace(/:*(\w+):?/g, (_, group) => parseInt(group, 16).toString(2).padStart(16, '0'));
	return isIPv4 ? digits.slice(96) : digits;
}
