// The connector for programs in the page's own thread: sockets over streams of the
// tunnel. Nothing here waits, and the program is never called from inside its own call.

import { isWritable } from './connector.js';
import { Datagrams } from '../tunnel/datagrams.js';
import * as KIND from '../wire/generated/kind.js';
import { createLookup } from './names/lookup.js';

/** @typedef {import('./connector.js').Connector} Connector */
/** @typedef {import('./connector.js').Socket} Socket */
/** @typedef {import('./connector.js').SocketEvent} SocketEvent */
/** @typedef {import('./connector.js').Target} Target */
/** @typedef {import('../wire/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */
/** @typedef {import('./opener.js').Open} Open */
/** @typedef {import('./opener.js').StreamLike} StreamLike */

/**
 * Bytes that the peer may send ahead of the program: bounds the speed over a long line
 * (10 MB/s at 100 ms).
 */
const IN_BYTES = 1 << 20;
/** Bytes that the program may send ahead of the line. */
const OUT_BYTES = 1 << 19;
/** Taken bytes are granted again in pieces of this size. */
const GRANT_BYTES = IN_BYTES / 4;

/** @implements {Connector} */
export class LocalConnector {
	canWait = false;
	alive = true;
	#open;
	#report;
	/** @type {Set<LocalSocket | Datagrams>} */
	#sockets = new Set();
	/** @type {Set<() => void>} */
	#listeners = new Set();

	/**
	 * @param {Open} open
	 * @param {(text: string) => void} report  tells the user, one line
	 * @param {import('./names/lookup.js').Resolve} [resolve]  asks the server for a name
	 * @param {boolean} [binds]  whether programs may bind ports at the server
	 */
	constructor(open, report, resolve, binds = false) {
		this.binds = binds;
		this.#open = open;
		this.#report = report;
		/** @type {Connector['lookup']} */
		this.lookup = resolve && createLookup(resolve, () => this.#changed());
	}

	/**
	 * @param {Target} target
	 * @param {(event: SocketEvent) => void} [onevent]
	 */
	connect({ kind, host, port, family, timeoutMs, socketOptions, name }, onevent = () => {}) {
		const socket = new LocalSocket(onevent, () => this.#changed(), (why) => {
			this.#sockets.delete(socket);
			if (why) this.#report(`${kind === KIND.listen ? 'listening on' : 'connection to'} ${name ?? `${host}:${port}`} failed: ${why.name}: ${why.text || 'no more is known'}`);
		});
		this.#sockets.add(socket);
		const request = { ...(kind && { kind }), host, port, ...(family && { family }), window: IN_BYTES, ...(timeoutMs && { timeoutMs }), ...(socketOptions && { socketOptions }), ...(name && { name }) };
		socket.bind((handlers) => this.#open(request, handlers));
		return socket;
	}

	/**
	 * @param {{ kind?: number, host: string, port: number }} target
	 * @param {import('../tunnel/datagrams.js').Handlers} handlers
	 */
	datagrams(target, handlers) {
		/** Runs a handler, then wakes what waits. @param {(value: any) => void} [handler] */
		const then = (handler) => (/** @type {any} */ value = undefined) => {
			handler?.(value);
			this.#changed();
		};
		const socket = new Datagrams(this.#open, target, {
			onopen: then(handlers.onopen),
			onarrival: then(handlers.onarrival),
			onreport: then(handlers.onreport),
			onclose: then((why) => {
				this.#sockets.delete(socket);
				handlers.onclose(why);
			}),
		});
		this.#sockets.add(socket);
		return socket;
	}

	/** @returns {boolean} */
	wait() {
		throw new Error('this thread cannot wait');
	}

	/** @param {() => void} listener */
	onchange(listener) {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	/** @param {string} text */
	report(text) {
		this.#report(text);
	}

	#changed() {
		for (const listener of this.#listeners) listener();
	}

	/** Ends every socket; the program's next ones are SOCKFS's own. */
	close() {
		this.alive = false;
		for (const socket of this.#sockets) socket.close();
	}
}

/** @implements {Socket} */
class LocalSocket {
	/** @type {Socket['state']} */
	state = 'connecting';
	errorText = '';
	available = 0;
	/** @type {Socket['local']} */
	local = null;
	/** @type {Socket['remote']} */
	remote = null;
	#onevent;
	#onchange;
	#onend;
	/** @type {StreamLike | null} */
	#stream = null;
	/** @type {Uint8Array[]} */
	#received = [];
	#fin = false;
	#unsent = 0;
	#ungranted = 0;
	#errno = 0;
	#opened = false;
	/** The program has closed it. */
	#closed = false;

	/**
	 * @param {(event: SocketEvent) => void} onevent
	 * @param {() => void} onchange  called after each change
	 * @param {(failed: Ending | null) => void} onend  called once; with the reason if it never opened
	 */
	constructor(onevent, onchange, onend) {
		this.#onevent = onevent;
		this.#onchange = onchange;
		this.#onend = onend;
	}

	/** @param {(handlers: Handlers) => StreamLike} open */
	bind(open) {
		this.#stream = open({
			onopen: ({ bound, remote }) => {
				this.#opened = true;
				this.local = bound;
				this.remote = remote;
				this.state = 'open';
				this.#tell('open');
			},
			ondata: (bytes) => {
				this.#received.push(bytes);
				this.available += bytes.length;
				this.#tell('message');
			},
			oneof: () => {
				this.#fin = true;
				this.#tell('close');
			},
			onwritten: (bytes) => {
				const { writable } = this;
				this.#unsent -= bytes;
				if (this.writable && !writable) this.#tell('room');
			},
			onclose: (why) => this.#end(why),
		});
	}

	/** What arrived before the error is read before it. */
	get error() {
		return this.available > 0 ? 0 : this.#errno;
	}

	clearError() {
		if (this.error !== 0) this.#errno = 0;
	}

	get ended() {
		return this.#fin;
	}

	get eof() {
		return this.#fin && this.available === 0;
	}

	get room() {
		return Math.max(0, OUT_BYTES - this.#unsent);
	}

	get unsent() {
		return this.#unsent;
	}

	get writable() {
		return isWritable(this.room, OUT_BYTES);
	}

	/** @param {number} max */
	recv(max) {
		const bytes = this.#take(max, true);
		if (bytes === null) return null;
		this.#ungranted += bytes.length;
		if (this.#ungranted >= GRANT_BYTES) {
			this.#stream?.grant(this.#ungranted);
			this.#ungranted = 0;
		}
		return bytes;
	}

	/** @param {number} max */
	peek(max) {
		return this.#take(max, false);
	}

	/**
	 * @param {Uint8Array} bytes
	 * @param {boolean} [all]
	 */
	send(bytes, all = false) {
		const count = all ? bytes.length : Math.min(bytes.length, this.room);
		if (count === 0) return 0;
		this.#unsent += count;
		this.#stream?.write(bytes.subarray(0, count));
		return count;
	}

	/** @param {0 | 1 | 2} how */
	shutdown(how) {
		if (how !== 1) this.#stream?.stop();
		if (how !== 0) this.#stream?.closeWrite();
		this.#onchange();
	}

	close() {
		this.#leave(() => this.#stream?.close());
	}

	reset() {
		this.#leave(() => this.#stream?.reset());
	}

	/** @param {import('./connector.js').SocketOptions} options */
	setOptions(options) {
		this.#stream?.setSocketOptions?.(options);
	}

	/** @param {() => void} end */
	#leave(end) {
		if (this.#closed) return;
		this.#closed = true;
		this.#received = [];
		this.available = 0;
		end();
		this.#onchange();
	}

	/** @param {Ending} why */
	#end(why) {
		const before = this.#fin;
		this.#fin = true;
		this.state = 'closed';
		this.#errno = why.errno;
		this.errorText = why.text;
		this.#onend(!this.#opened && !this.#closed && why.code !== 0 ? why : null);
		if (why.errno !== 0) this.#tell('error');
		this.#tell(before ? 'end' : 'close');
	}

	/**
	 * @param {number} max
	 * @param {boolean} consume
	 */
	#take(max, consume) {
		const count = Math.min(max, this.available);
		if (count === 0) return null;
		const bytes = new Uint8Array(count);
		let done = 0;
		let index = 0;
		while (done < count) {
			const head = this.#received[index];
			const part = head.subarray(0, count - done);
			bytes.set(part, done);
			done += part.length;
			if (part.length < head.length) {
				if (consume) this.#received[index] = head.subarray(part.length);
			} else index++;
		}
		if (consume) {
			this.#received.splice(0, index);
			this.available -= count;
		}
		return bytes;
	}

	/** @param {SocketEvent} event */
	#tell(event) {
		if (!this.#closed) this.#onevent(event);
		this.#onchange();
	}
}
