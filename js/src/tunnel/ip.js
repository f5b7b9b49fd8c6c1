// Addresses in text and in bytes.

/** An IPv4 address as text. */
export const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;

/** An IPv4 address that is mapped into IPv6, as itself; any other host as it is. @param {string} host */
export const unmapped = (host) => host.replace(/^::ffff:(?=\d+\.)/i, '');

/** An IPv4 address as one of IPv6; any other host as it is. @param {string} host */
export const mapped = (host) => (DOTTED.test(host) ? `::ffff:${host}` : host);

/** @param {Uint8Array} bytes  of an IPv4 address */
export const dotted = (bytes) => bytes.join('.');

/** @param {string} text  an IPv4 address */
export const parts = (text) => text.split('.').map(Number);

/** The short text of an IPv6 address. @param {Uint8Array} bytes */
export function groups(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const all = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16));
	return new URL(`http://[${all.join(':')}]`).hostname.slice(1, -1);
}

/** @param {string} text  an IPv6 address without dots */
export function ofGroups(text) {
	const [head, tail] = text.split('::').map((half) => half.split(':').filter(Boolean));
	const all = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
	return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}
