// What is different in Node: the wasm is a file, the WebSocket may be a package's, and no
// console shows why a dial has failed.

import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { reasonOf } from './tasks.js';
import { whyUnreachable } from './unreachable.js';

/**
 * Gives the compiled wasm: once read it is kept, and after a failure the next call reads again.
 * @param {string | URL} place  a URL or a path
 * @returns {() => Promise<WebAssembly.Module>}
 */
export function wasmOf(place) {
	/** @type {Promise<WebAssembly.Module> | null} */
	let module = null;
	return () => {
		module ??= read(place).then((bytes) => WebAssembly.compile(bytes)).catch((error) => {
			module = null;
			throw new Error(`${place}: ${reasonOf(error)}`);
		});
		return module;
	};
}

/** @param {string | URL} place */
const urlOf = (place) => (place instanceof URL || /^(file|https?):/.test(place) ? new URL(place) : pathToFileURL(place));

/**
 * Returns the place of another file in the folder.
 * @param {string | URL} place
 * @param {string} name
 */
export const beside = (place, name) => new URL(name, urlOf(place));

/**
 * @param {string | URL} place
 * @returns {Promise<BufferSource>}
 */
async function read(place) {
	const url = urlOf(place);
	if (url.protocol === 'file:') return readFile(url);
	const response = await fetch(url);
	if (!response.ok) throw new Error(`the server answered ${response.status}`);
	return response.arrayBuffer();
}

/**
 * Makes a class whose sockets can be used as a browser's: send() copies, and an error
 * without a listener ends no process.
 * @param {typeof WebSocket} Given  of Node, or of the package ws
 * @returns {typeof WebSocket}
 */
export const socketOf = (Given) => class extends Given {
	/**
	 * @param {string | URL} url
	 * @param {string | string[]} [protocols]
	 */
	constructor(url, protocols) {
		super(url, protocols);
		this.onerror = () => {}; // the close event follows
	}

	/** @param {any} data */
	send(data) {
		super.send(data.slice()); // it is a view of the wasm's memory
	}
};

/** Finds out why a dial failed. @type {import('./carrier.js').Probe} */
export const probe = (url, attempt) => whyUnreachable(url, attempt, async (check, error) => {
	const { message, cause } = /** @type {Error & { cause?: Error }} */ (error);
	return `${check.origin} cannot be reached: ${cause?.message || message}`;
});

/* global setImmediate -- of Node */

/** Runs functions in tasks of their own. @type {import('./tasks.js').Schedule} */
export const schedule = (run) => void setImmediate(run);
