// The scripts of workers: their URLs, and the blobs behind object URLs.

/** Larger ones are no scripts. */
const MAX_BYTES = 4_000_000;

/**
 * The absolute URL of a worker's script. Empty if it is a blob, or if the native constructor
 * does not start it: it says what is wrong.
 * @param {string} url
 * @param {string} base  URL of the page
 */
export function scriptUrl(url, base) {
	try {
		const { href, origin } = new URL(url, base);
		return origin === new URL(base).origin && /^http/.test(href) ? href : '';
	} catch {
		return '';
	}
}

/** @typedef {{ get: (url: string) => Blob | undefined, stop: () => void }} Blobs */

/**
 * Remembers which object URLs stand for scripts that may be a worker's, until stop().
 * @param {any} URL  the constructor with createObjectURL and revokeObjectURL
 * @returns {Blobs}
 */
export function rememberBlobs(URL) {
	/** @type {Map<string, Blob>} */
	const blobs = new Map();
	const { createObjectURL, revokeObjectURL } = URL;
	const create = (/** @type {any} */ object) => {
		const url = createObjectURL.call(URL, object);
		if (object instanceof Blob && object.size <= MAX_BYTES) blobs.set(url, object);
		return url;
	};
	const revoke = (/** @type {string} */ url) => {
		blobs.delete(`${url}`);
		revokeObjectURL.call(URL, url);
	};
	URL.createObjectURL = create;
	URL.revokeObjectURL = revoke;
	return {
		get: (url) => blobs.get(url),
		stop() {
			if (URL.createObjectURL === create) URL.createObjectURL = createObjectURL;
			if (URL.revokeObjectURL === revoke) URL.revokeObjectURL = revokeObjectURL;
			blobs.clear();
		},
	};
}
