// The page's half of the program of HTTP and TLS: it opens the program's streams in the tunnel and
// passes on what requests and TLS connections say. host.js is the other half.

import { joinHostPort } from '../tunnel/target.js';
import { reasonOf } from '../engine/tasks.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as MESSAGE from '../wire/generated/https.js';
import { transfers } from './host.js';

/** @typedef {import('./host.js').Message} Message */
/** @typedef {import('./host.js').Port} Port */
/** @typedef {import('../wire/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/stream.js').Stream} Stream */

/**
 * A port with a running program, and what ends both.
 * @typedef {{ port: Port, stop: () => void, onfailure?: (why: string) => void }} Started
 */

/**
 * What a request or a TLS connection is told. None is called after onend or onfail.
 * @typedef {object} TaskHandlers
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} onhead
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} ondata
 * @property {() => void} [oneof]  a TLS connection: the server has ended its direction
 * @property {() => void} onend
 * @property {(why: Ending) => void} onfail
 * @property {(bytes: number) => void} ontook
 */

/**
 * TLS settings that requests share.
 * @typedef {{ roots: string, onlyRoots: boolean, pins: readonly string[] }} TlsSettings
 */

/** Sets of TLS settings that are kept with their connections. */
const MAX_AGENTS = 16;

const NOTHING = new Uint8Array(0);

export class Client {
	#tunnel;
	#timeoutMs;
	#start;
	/** @type {Promise<Started> | null} */
	#started = null;
	/** @type {Port | null} */
	#port = null;
	/** @type {Message[]} */
	#out = [];
	/** Odd ids are the page's. */
	#lastId = -1;
	#lastAgent = 0;
	/** Numbers of agents by their settings, the one used last at the end. @type {Map<string, number>} */
	#agents = new Map();
	/** @type {Map<number, TaskHandlers>} */
	#tasks = new Map();
	/** @type {Map<number, Stream>} */
	#streams = new Map();

	#restMs;
	/** @type {any} */
	#resting;

	/**
	 * @param {{ tunnel: Pick<import('../tunnel/tunnel.js').Tunnel, 'open'>, timeoutMs?: number, start: () => Promise<Started>, restMs?: number }} parts
	 *   start makes a program; it is called when one is needed, and again after one has failed. restMs: how long
	 *   connections outlive the last task at most; default: as long as the program keeps them
	 */
	constructor({ tunnel, timeoutMs, start, restMs }) {
		this.#tunnel = tunnel;
		this.#restMs = restMs;
		this.#timeoutMs = timeoutMs;
		this.#start = start;
	}

	/** An id for a stream or a task. */
	nextId() {
		this.#lastId += 2;
		return this.#lastId;
	}

	/**
	 * Begins a task: MESSAGE.Request or MESSAGE.Secure.
	 * @param {number} kind
	 * @param {number} id
	 * @param {TlsSettings} settings
	 * @param {string} text  what the message holds, of characters up to U+00FF
	 * @param {TaskHandlers} handlers
	 */
	begin(kind, id, settings, text, handlers) {
		this.#tasks.set(id, handlers);
		clearTimeout(this.#resting);
		this.#load();
		this.send(kind, id, this.#agent(settings), latin1(text));
	}

	/**
	 * Gives the program a message. The bytes are the program's from now on.
	 * @param {number} kind
	 * @param {number} id
	 * @param {number} [number]
	 * @param {Uint8Array<ArrayBuffer> | null} [bytes]
	 */
	send(kind, id, number = 0, bytes = null) {
		if (this.#out.length === 0) queueMicrotask(() => this.#flush());
		this.#out.push([kind, id, number, bytes]);
	}

	/**
	 * Ends a task at once; its handlers are called no more.
	 * @param {number} id
	 */
	abort(id) {
		if (this.#take(id)) this.send(MESSAGE.Abort, id);
	}

	/**
	 * Makes a stream of the page one of the program's: for MESSAGE.Secure with the same id.
	 * @param {number} id
	 * @param {Stream} stream
	 */
	adopt(id, stream) {
		this.#streams.set(id, stream);
	}

	/**
	 * What a stream of the program's tells.
	 * @param {number} id
	 * @param {(why: Ending) => void} [onclose]
	 * @returns {import('../tunnel/stream.js').Handlers}
	 */
	handlersOf(id, onclose = () => {}) {
		return {
			onopen: () => this.send(MESSAGE.StreamOpened, id),
			ondata: (bytes) => {
				const whole = bytes.length === bytes.buffer.byteLength;
				this.send(MESSAGE.StreamData, id, 0, /** @type {Uint8Array<ArrayBuffer>} */ (whole ? bytes : bytes.slice()));
			},
			oneof: () => this.send(MESSAGE.StreamEOF, id),
			onwritten: (bytes) => this.send(MESSAGE.StreamWritten, id, bytes),
			onclose: (why) => {
				this.#streams.delete(id);
				this.send(MESSAGE.StreamClosed, id, why.code, new TextEncoder().encode(why.text));
				onclose(why);
			},
			// The program may have bytes that it has not written yet.
			holds: () => this.#tasks.has(id),
		};
	}

	/** Ends the program and all that it does. @param {string} why */
	stop(why) {
		const started = this.#started;
		this.#lose(why);
		started?.then(({ stop }) => stop(), () => {});
	}

	#load() {
		if (this.#started) return;
		const starting = this.#start();
		this.#started = starting;
		starting.then((started) => {
			if (this.#started !== starting) {
				started.stop();
				return;
			}
			started.onfailure = (why) => this.#lose(why);
			this.#port = started.port;
			started.port.onmessage = ({ data }) => {
				if (data.failed !== undefined) this.stop(data.failed);
				else for (const message of data.messages) this.#heard(message);
			};
			this.#flush();
		}).catch((error) => {
			if (this.#started === starting) this.#lose(reasonOf(error));
		});
	}

	#flush() {
		if (!this.#port || this.#out.length === 0) return;
		const messages = this.#out;
		this.#out = [];
		this.#port.postMessage({ messages }, transfers(messages));
	}

	/** The program is gone. @param {string} why */
	#lose(why) {
		this.#started = null;
		this.#port = null;
		this.#out = [];
		this.#agents.clear();
		const [tasks, streams] = [[...this.#tasks.values()], [...this.#streams.values()]];
		this.#tasks.clear();
		this.#streams.clear();
		for (const stream of streams) stream.reset();
		for (const { onfail } of tasks) onfail(ending(CODES.not_connected, why));
	}

	/** @param {TlsSettings} settings */
	#agent({ roots, onlyRoots, pins }) {
		const text = [onlyRoots ? '1' : '', roots, pins.join(',')].join('\0');
		let number = this.#agents.get(text);
		if (number === undefined) {
			number = ++this.#lastAgent;
			this.send(MESSAGE.Agent, number, 0, latin1(text));
			for (const [old, unused] of this.#agents) {
				if (this.#agents.size < MAX_AGENTS) break;
				this.#agents.delete(old);
				this.send(MESSAGE.Forget, unused);
			}
		} else this.#agents.delete(text);
		this.#agents.set(text, number);
		return number;
	}

	/** @param {Message} message */
	#heard([kind, id, number, bytes]) {
		const data = bytes ?? NOTHING;
		const task = this.#tasks.get(id);
		switch (kind) {
			case MESSAGE.Open: {
				const [host, port] = new TextDecoder().decode(data).split('\0');
				const request = { host, port: Number(port), name: joinHostPort(host, Number(port)), window: MESSAGE.Window, timeoutMs: this.#timeoutMs, quiet: true };
				this.#streams.set(id, this.#tunnel.open(request, this.handlersOf(id)));
				break;
			}
			case MESSAGE.Write:
				this.#streams.get(id)?.write(data);
				break;
			case MESSAGE.CloseWrite:
				this.#streams.get(id)?.closeWrite();
				break;
			case MESSAGE.Close:
				this.#streams.get(id)?.close();
				break;
			case MESSAGE.StreamGrant:
				this.#streams.get(id)?.grant(number);
				break;
			case MESSAGE.Head:
				task?.onhead(data);
				break;
			case MESSAGE.Body:
				task?.ondata(data);
				break;
			case MESSAGE.Took:
				task?.ontook(number);
				break;
			case MESSAGE.End:
				if (task?.oneof) task.oneof();
				else this.#end(id, task);
				break;
			case MESSAGE.Done:
				this.#end(id, task);
				break;
			case MESSAGE.Failed:
				this.#take(id);
				task?.onfail(ending(number, new TextDecoder().decode(data)));
				break;
		}
	}

	/** @param {number} id @param {TaskHandlers | undefined} task */
	#end(id, task) {
		this.#take(id);
		task?.onend();
	}

	/** Takes a task out. @param {number} id */
	#take(id) {
		const was = this.#tasks.delete(id);
		if (was && this.#tasks.size === 0 && this.#restMs !== undefined) {
			this.#resting = setTimeout(() => this.#rest(), this.#restMs);
			this.#resting.unref?.();
		}
		return was;
	}

	/** Closes the connections that no task uses. */
	#rest() {
		for (const number of this.#agents.values()) this.send(MESSAGE.Forget, number);
		this.#agents.clear();
	}
}

/** @param {string} text  of characters up to U+00FF */
function latin1(text) {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
