// What R's package sockmux calls by webr::eval_js(): numbers stand for WebSockets, and arguments are
// text in JavaScript. Bytes come from R in a file and go to it as a raw vector. No call waits for long:
// R asks again, because its interrupt cannot leave webr::eval_js().

import { WAIT_MS, WebSocketOfR } from './websocket.js';

/** @typedef {import('../../facade/messages.js').MessagesRequest} MessagesRequest */

const DEFAULT_PORT = { 'ws:': 80, 'wss:': 443 };

/**
 * Reads a URL.
 * @param {string} url
 * @returns {Pick<MessagesRequest, 'host' | 'port' | 'secure' | 'resource'> | null}  null: it is none
 */
export function targetOf(url) {
	try {
		const { protocol, hostname, port, pathname, search } = new URL(url);
		const implied = DEFAULT_PORT[/** @type {'ws:' | 'wss:'} */ (protocol)];
		if (!implied) return null;
		return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || implied, secure: protocol === 'wss:', resource: pathname + search };
	} catch {
		return null;
	}
}

/** A named list of R's. @param {Record<string, unknown>} values */
const list = (values) => ({ type: 'list', names: Object.keys(values), values: Object.values(values) });

export class WebSockets {
	#connector;
	#readFile;
	/** @type {Map<number, WebSocketOfR>} */
	#open = new Map();
	#last = 0;

	/**
	 * @param {import('../../blocking/ring.js').RingConnector} connector
	 * @param {(path: string) => Uint8Array} readFile  of R's file system
	 */
	constructor(connector, readFile) {
		this.#connector = connector;
		this.#readFile = readFile;
	}

	/** Whether take() may have something for R. */
	get due() {
		return [...this.#open.values()].some((socket) => socket.due);
	}

	/** Whether a URL can be dialed. @param {string} url */
	valid(url) {
		return targetOf(url) !== null;
	}

	/**
	 * Begins a connection.
	 * @param {string} url
	 * @param {{ protocols: string[], names: string[], values: string[], maxBytes: number }} how  names and values of the header fields
	 * @returns {number}
	 */
	open(url, { protocols, names, values, maxBytes }) {
		const target = targetOf(url);
		if (!target) throw new Error(`${url} is no URL of a WebSocket`);
		/** @type {[name: string, value: string][]} */
		const fields = names.map((name, i) => [name, values[i]]);
		const id = ++this.#last;
		this.#open.set(id, new WebSocketOfR(this.#connector, { ...target, protocols, fields, maxBytes }));
		return id;
	}

	/**
	 * Returns the next event of one of these WebSockets, as a list of R's with its number as `id`;
	 * undefined, which is NULL in R: there is none.
	 * @param {number[]} ids  in the order in which they are asked
	 */
	take(ids) {
		for (const id of ids) {
			const socket = this.#open.get(id);
			const event = socket?.take();
			if (socket?.over) this.#open.delete(id);
			if (event) return list({ id, ...event });
		}
		return undefined;
	}

	/**
	 * Sends what is in a file.
	 * @param {number} id
	 * @param {string} path
	 * @param {boolean} text
	 */
	send(id, path, text) {
		this.#open.get(id)?.send(this.#readFile(path), text);
	}

	/**
	 * @param {number} id
	 * @param {number} code
	 * @param {string} reason
	 */
	close(id, code, reason) {
		this.#open.get(id)?.close(code, reason);
	}

	/** Reports whether what was sent is still on its way to the ring. @param {number} id */
	sending(id) {
		return this.#open.get(id)?.sending() ?? false;
	}

	/** Blocks for a while, until something may have come. @param {number} milliseconds  at most so long */
	nap(milliseconds) {
		if (!this.due) this.#connector.nap(Math.min(milliseconds, WAIT_MS));
	}
}
