// One stream of the tunnel, as the page sees it.

import { Backlog } from './backlog.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { text } from '../wire/events.js';
import * as EVENT from '../wire/generated/event.js';
import * as KIND from '../wire/generated/kind.js';
import { callHandler } from '../engine/tasks.js';
import { KINDS } from './kinds.js';

/**
 * What a stream asks of what carries it.
 * @typedef {Pick<import('../engine/engine.js').Commands, 'open' | 'write' | 'closeWrite' | 'stop' | 'reset' | 'grant' | 'setSocketOptions' | 'resumeSoon'>} StreamCommands
 */
/** @typedef {import('../wire/events.js').Event} Event */
/** @typedef {import('../wire/codes.js').Ending} Ending */

/** @typedef {{ addr: string, port: number }} Address */

/**
 * What to open. An absent kind is tcp. `quiet`: what opens it tells people why it could
 * not be opened; the tunnel does not. `name`: what figures and lines call it; absent: its target.
 * @typedef {Omit<import('../engine/boundary.js').OpenRequest, 'kind'> & { kind?: number, quiet?: boolean, name?: string }} Request
 */

/**
 * Called from tasks of their own, never from inside a call of the page's. None is called
 * after onclose.
 * @typedef {object} Handlers
 * @property {(ends: { bound: Address | null, remote: Address | null, alpn?: string | null }) => void} [onopen]  the server's own end and the address it dialed; null when it did not say. alpn: the protocol that TLS has agreed on
 * @property {(bytes: Uint8Array) => void} [ondata]  the receiver owns the bytes
 * @property {() => void} [oneof]  the peer has ended its direction
 * @property {() => boolean} [holds]  asked when the tunnel goes away: reports whether the owner has bytes that it has not given to write() yet
 * @property {(bytes: number) => void} [onwritten]  so many more of the written bytes have left for the server
 * @property {(why: Ending) => void} [onclose]  last; code 0 after a clean end both ways
 */

/** @typedef {'connecting' | 'open' | 'closing' | 'closed'} StreamState */

/**
 * Bytes of one stream that are in the wasm's memory at most. That memory never shrinks,
 * so what is beyond waits in the page's own, which does. Several times yamux's frame of
 * 64 KiB, so that the stream never runs dry between two tasks.
 */
const FEED_BYTES = 512 * 1024;

const BEFORE_OPEN = 'given up before it was open';

export class Stream {
	/** @type {StreamState} */
	state = 'connecting';
	/** Bytes given to ondata. */
	bytesIn = 0;
	/** Bytes that have left for the server. */
	bytesOut = 0;
	/** Milliseconds between open() and the server's answer; null before. @type {number | null} */
	connectMs = null;
	/** Milliseconds since 1970. */
	startedAt = Date.now();
	/** @type {number | null} */
	closedAt = null;
	/** @type {{ bound: Address | null, remote: Address | null, alpn?: string }} */
	ends = { bound: null, remote: null };
	/** Why it ended; null before. @type {Ending | null} */
	ending = null;

	#request;
	#handlers;
	#owner;
	/** @type {StreamCommands | null} */
	#boundary = null;
	/** Bytes that wait for room in the wasm. */
	#queue;
	/** Bytes that the wasm has and has not yet sent. */
	#fed = 0;
	#started = performance.now();
	/** No more is written. */
	#ended = false;
	/** No more is read. */
	#stopped = false;
	/** Something was written. */
	#wrote = false;
	/** The server has answered. */
	#answered = false;
	/**
	 * The page has given it up: how it ends where the wasm does not know it, or where
	 * that is a clean end.
	 * @type {Ending | null}
	 */
	#given = null;

	/**
	 * @param {number} id
	 * @param {Request} request
	 * @param {Handlers} handlers
	 * @param {{ schedule: import('../engine/tasks.js').Schedule, gather: (work: () => void) => void, blocks: import('./backlog.js').Blocks, onended: (stream: Stream) => void }} owner
	 */
	constructor(id, request, handlers, owner) {
		this.id = id;
		this.quiet = request.quiet ?? false;
		this.name = request.name;
		this.host = request.host;
		this.port = request.port;
		this.#request = { ...request, kind: request.kind ?? KIND.tcp };
		/** Absent: this end has no such kind. */
		this.row = /** @type {import('./kinds.js').KindRow | undefined} */ (KINDS[this.#request.kind]);
		this.#handlers = handlers;
		this.#owner = owner;
		this.#queue = new Backlog(owner.blocks);
	}

	/**
	 * Sends bytes. They are copied and queued without bound; onwritten tells the
	 * progress. After closeWrite, close or the stream's end they are dropped.
	 * @param {Uint8Array} bytes
	 */
	write(bytes) {
		if (this.#ended || this.ending || bytes.length === 0) return;
		this.#wrote = true;
		if (this.#boundary && this.#queue.length === 0 && this.#fed + bytes.length <= FEED_BYTES) this.#give(bytes);
		else this.#queue.put(bytes);
		this.#feed();
	}

	/** Ends this direction after what was written. */
	closeWrite() {
		if (this.#ended || this.ending) return;
		this.#ended = true;
		if (this.#boundary && this.#queue.length === 0) this.#boundary.closeWrite(this.id);
	}

	/** Reads no more: no ondata and no oneof from now on. */
	stop() {
		if (this.#stopped || this.ending) return;
		this.#stopped = true;
		this.#boundary?.stop(this.id);
	}

	/**
	 * closeWrite and stop: like close(2), what was written is delivered. A stream without
	 * an answer that has nothing to deliver is given up, which is a clean end.
	 */
	close() {
		if (this.ending) return;
		if (!this.#answered && !this.#wrote) {
			this.#giveUp(CODES.aborted, ending(CODES.ok, BEFORE_OPEN));
			return;
		}
		this.stop();
		this.closeWrite();
		this.state = 'closing';
	}

	/**
	 * Ends the stream both ways at once; what was not sent is dropped.
	 * @param {number} [code]  one of CODES
	 */
	reset(code = CODES.aborted) {
		if (this.ending) return;
		this.#giveUp(code, ending(code, BEFORE_OPEN));
	}

	/**
	 * For the tunnel, which goes away: the target must not take what it got for all,
	 * where there is more.
	 */
	abandon() {
		if (this.#boundary && (this.#queue.length > 0 || this.#handlers.holds?.())) this.#boundary.reset(this.id, CODES.aborted);
	}

	/**
	 * Allows that many more bytes of ondata. Without effect where the window is unlimited.
	 * @param {number} bytes
	 */
	grant(bytes) {
		if (this.ending || this.#stopped) return;
		if (this.#boundary) this.#boundary.grant(this.id, bytes);
		else if (this.#request.window !== undefined) this.#request.window += bytes;
	}

	/**
	 * Sets options of the target's socket. The others stay as they are.
	 * @param {import('../wire/socket-options.js').SocketOptions} options
	 */
	setSocketOptions(options) {
		if (this.ending || this.#given) return;
		if (this.#boundary) this.#boundary.setSocketOptions(this.id, options);
		else this.#request.socketOptions = { ...this.#request.socketOptions, ...options };
	}

	/** Bytes written that have not left yet. */
	get buffered() {
		return this.#queue.length + this.#fed;
	}

	/**
	 * For the tunnel: the wasm is ready; everything that waited goes to it.
	 * @param {StreamCommands} boundary
	 */
	attach(boundary) {
		if (this.#given || this.ending) return;
		this.#boundary = boundary;
		boundary.open(this.id, this.#request);
		if (this.#request.optimistic) {
			this.#owner.schedule(() => {
				this.#owner.gather(() => this.deliver({ kind: EVENT.opened, id: this.id, a: 0, b: 0, data: new Uint8Array(0) }));
				this.#owner.schedule(() => boundary.resumeSoon()); // behind the program's own task
			});
		}
		if (this.#stopped) boundary.stop(this.id);
		if (this.#queue.length > 0) this.#feed();
		else if (this.#ended) boundary.closeWrite(this.id);
	}

	/**
	 * For the tunnel: something that Go tells about this stream.
	 * @param {Event} event
	 */
	deliver(event) {
		if (this.ending) return;
		switch (event.kind) {
			case EVENT.opened:
				this.#opened(event);
				break;
			case EVENT.data:
				if (this.#stopped) return;
				this.bytesIn += event.data.length;
				callHandler(this.#handlers.ondata, event.data);
				break;
			case EVENT.eof:
				if (!this.#stopped) callHandler(this.#handlers.oneof);
				break;
			case EVENT.written:
				this.#fed -= event.a;
				this.bytesOut += event.a;
				this.#feed();
				callHandler(this.#handlers.onwritten, event.a);
				break;
			case EVENT.closed:
				this.end(this.#given?.code === CODES.ok ? this.#given : ending(event.a, text(event.data)));
				break;
		}
	}

	/**
	 * For the tunnel: the last event. Must run in a task of its own.
	 * @param {Ending} why
	 */
	end(why) {
		if (this.ending) return;
		this.ending = why;
		this.state = 'closed';
		this.closedAt = Date.now();
		this.#queue.clear();
		this.#fed = 0;
		this.#boundary = null;
		this.#owner.onended(this);
		callHandler(this.#handlers.onclose, why);
	}

	/** @param {Event} event */
	#opened({ a, b, data }) {
		this.#answered = true;
		if (this.state === 'connecting') this.state = 'open';
		this.connectMs = performance.now() - this.#started;
		const [bound, remote, alpn] = text(data).split('\0');
		this.ends = { bound: address(bound, a), remote: address(remote, b), alpn };
		callHandler(this.#handlers.onopen, this.ends);
	}

	/** Hands over what the wasm has room for. */
	#feed() {
		if (!this.#boundary || this.#queue.length === 0) return;
		while (this.#queue.length > 0 && this.#fed < FEED_BYTES) this.#queue.take((piece) => this.#give(piece));
		if (this.#ended && this.#queue.length === 0) this.#boundary.closeWrite(this.id);
	}

	/** @param {Uint8Array} bytes */
	#give(bytes) {
		this.#fed += bytes.length;
		this.#boundary?.write(this.id, bytes);
	}

	/**
	 * Ends both directions by this end's doing.
	 * @param {number} code  for the server
	 * @param {Ending} how  for the page
	 */
	#giveUp(code, how) {
		if (this.#given) return;
		this.#given = how;
		this.#ended = true;
		this.#stopped = true;
		this.#queue.clear();
		this.state = 'closing';
		if (this.#boundary) this.#boundary.reset(this.id, code);
		else this.#owner.schedule(() => this.end(how));
	}
}

/**
 * @param {string} addr
 * @param {number} port
 * @returns {Address | null}
 */
function address(addr, port) {
	return addr ? { addr, port } : null;
}
