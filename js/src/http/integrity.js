// Subresource integrity of answers (https://www.w3.org/TR/SRI/).

/** From the weakest. */
const ALGORITHMS = ['sha256', 'sha384', 'sha512'];

/**
 * Reports whether bytes are what one of the strongest hashes says. Text without a hash that is
 * known allows all.
 * @param {ArrayBuffer} bytes
 * @param {string} integrity
 */
export async function matches(bytes, integrity) {
	const wanted = integrity.split(/\s+/).flatMap((item) => {
		const [, algorithm, hash] = /^(sha\d+)-([A-Za-z0-9+/_-]+=*)(\?.*)?$/.exec(item) ?? [];
		return ALGORITHMS.includes(algorithm) ? [{ algorithm, hash: hash.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '') }] : [];
	});
	if (wanted.length === 0) return true;
	const strongest = ALGORITHMS.findLast((algorithm) => wanted.some((item) => item.algorithm === algorithm)) ?? '';
	const digest = await crypto.subtle.digest(strongest.replace('sha', 'SHA-'), bytes);
	const hash = btoa(String.fromCharCode(...new Uint8Array(digest))).replace(/=+$/, '');
	return wanted.some((item) => item.algorithm === strongest && item.hash === hash);
}
