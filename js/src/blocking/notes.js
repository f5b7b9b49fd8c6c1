// What the console says where the layer stays out of the page's workers.

const NOT_ISOLATED = 'this page is not cross-origin isolated, so the sockets of the Emscripten program in its worker cannot wait: they are as without sockmux. '
	+ 'Send the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp" (or "credentialless") with the page, '
	+ 'or use coi-serviceworker where headers cannot be set';

/** What the scripts of Emscripten programs with sockets have, and what loads such programs. */
const PROGRAM = /SOCKFS|pyodide|php-wasm/i;
/** Scripts that a script loads, by their texts. */
const LOADS = /(?:importScripts\s*\(\s*|import\s*\(?\s*|\bfrom\s*)["']([^"'\n]+)["']/g;

/** The worker has just loaded it: a second request is made only for what no cache keeps. */
const FROM_CACHE = /** @type {const} */ ({ cache: 'force-cache' });

/**
 * Reports whether a worker's script is an Emscripten program with sockets, or loads one by name.
 * @param {string | Blob} script  its URL, or what it is made of
 * @param {typeof fetch} get
 */
export async function startsProgram(script, get = fetch) {
	const load = async (/** @type {string} */ url) => (await get(url, FROM_CACHE)).text();
	const text = typeof script === 'string' ? await load(script) : await script.text();
	if (PROGRAM.test(text)) return true;
	if (typeof script !== 'string') return false;
	for (const [, name] of text.matchAll(LOADS)) {
		const { href, origin } = new URL(name, script);
		if (origin === new URL(script).origin && PROGRAM.test(await load(href))) return true;
	}
	return false;
}

/**
 * Returns what tells the user a note; no text twice.
 * @param {(text: string) => void} report
 * @param {(note: string) => string} textOf
 * @param {typeof startsProgram} [looks]
 * @returns {(note: string, about?: string | Blob) => Promise<void>}
 */
export function createNotes(report, textOf, looks = startsProgram) {
	const said = new Set();
	return async (note, about) => {
		if (said.has(note) || (about !== undefined && !await looks(about).catch(() => false))) return;
		const text = about === undefined ? textOf(note) : NOT_ISOLATED;
		if (!said.has(note)) report(text);
		said.add(note);
	};
}
