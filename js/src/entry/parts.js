// Parts of the script that are files of their own, so that a page loads only what it
// uses. Each is a classic script, because only those can be held to an SRI string
// everywhere, and leaves what it has at its own script element, so that the page's
// globals stay the page's.

/** @typedef {{ url: string, integrity?: string }} File  with its absolute URL */
/**
 * Loads a part by its name in the build.
 * @typedef {(name: keyof import('./build.js').BuiltFiles) => Promise<any>} LoadPart
 */

const KEY = Symbol.for('sockmux.part');

/**
 * For the part itself: hands over what it has. Must be called while its script runs.
 * @param {unknown} value
 */
export function handOver(value) {
	const scope = /** @type {any} */ (globalThis);
	(scope.document?.currentScript ?? scope)[KEY] = value;
}

/**
 * A service worker may load scripts only while it starts, and may not import().
 * @param {any} scope
 */
export const isServiceWorker = (scope) => 'skipWaiting' in scope;

/**
 * Loads each part once.
 * @param {any} scope
 * @param {Record<string, File>} files
 * @returns {LoadPart}
 */
export function partLoader(scope, files) {
	if (isServiceWorker(scope)) {
		const engine = loadPartNow(scope, files.engine, false);
		return async () => engine; // there is no other: UDPSocket and listen() reject
	}
	/** @type {Record<string, () => Promise<any>>} */
	const loads = {};
	return (name) => (loads[name] ??= once(() => loadPart(scope, files[name])))();
}

/**
 * Loads a part. Rejects with an error that names the file.
 * @param {any} scope
 * @param {File} file
 * @returns {Promise<any>}
 */
export function loadPart(scope, { url, integrity }) {
	const { document } = scope;
	if (!document) return importPart(scope, url);
	return new Promise((resolve, reject) => {
		const script = document.createElement('script');
		script.src = url;
		script.crossOrigin = 'anonymous';
		if (integrity) script.integrity = integrity;
		// A policy that goes by nonces lets in what has the nonce of the page's other scripts.
		script.nonce = document.querySelector('script[nonce]')?.nonce ?? '';
		script.onload = () => resolve(script[KEY]);
		script.onerror = () => reject(new Error(`${url} could not be loaded: serve it, and allow it in the Content-Security-Policy`));
		document.head.append(script);
		script.remove(); // it is loaded all the same
	});
}

/**
 * Loads a part before it returns, for what cannot wait: a request that blocks, and a script
 * element that holds the text. Throws where that is impossible.
 * @param {any} scope
 * @param {File} file
 * @param {boolean} pinned  the page may hold its scripts to SRI strings; browsers check no text at once
 * @returns {any}
 */
export function loadPartNow(scope, { url }, pinned) {
	const { document } = scope;
	const refuse = (/** @type {string} */ why) => {
		throw new Error(`a program of -sWASM_ASYNC_COMPILATION=0 does not wait for ${url}, and ${why}: link it without that option`);
	};
	let holder = scope;
	if (!document) scope.importScripts(url);
	else {
		if (pinned) refuse('a pinned script runs no unchecked text');
		const request = new scope.XMLHttpRequest();
		request.open('GET', url, false);
		request.send();
		holder = document.createElement('script');
		holder.nonce = document.querySelector('script[nonce]')?.nonce ?? '';
		holder.textContent = request.responseText;
		document.head.append(holder);
		holder.remove();
	}
	const value = holder[KEY];
	delete holder[KEY];
	return value ?? refuse('the Content-Security-Policy forbids scripts within the page');
}

/**
 * In a worker there are no script elements, and so no check of the file.
 * @param {any} scope
 * @param {string} url
 */
async function importPart(scope, url) {
	await import(url);
	const value = scope[KEY];
	delete scope[KEY];
	return value;
}

/**
 * The text of a part, checked.
 * @param {File} file
 */
export async function fetchPart({ url, integrity }) {
	const response = await fetch(url, { integrity });
	if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
	return response.text();
}

/**
 * Makes something with the first call; the next ones get the same, or try again after a
 * failure. `made` is what there is.
 * @template T
 * @param {() => Promise<T>} make
 * @returns {(() => Promise<T>) & { made?: T }}
 */
export function once(make) {
	/** @type {Promise<T> | null} */
	let making = null;
	/** @type {(() => Promise<T>) & { made?: T }} */
	const get = async () => {
		making ??= make();
		try {
			get.made = await making;
		} catch (error) {
			making = null;
			throw error;
		}
		return get.made;
	};
	return get;
}
