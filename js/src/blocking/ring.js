// The connector for a worker that blocks: sockets whose bytes pass through shared memory,
// which the page fills and empties.

import { isWritable } from '../sockfs/connector.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as ERRNO from '../wire/generated/errno.js';
import { UNKNOWN } from '../sockfs/names/lookup.js';
import { RingDatagrams } from './datagrams.js';
import { Watch } from './events.js';
import { Failures } from './failures.js';
import { BUFFER_BYTES, IN_AT, IN_BYTES, LAYOUT, OUT_AT, OUT_BYTES, STATE, WANT, WORD, getText, span, wordsOf } from './layout.js';
import { Names } from './names.js';
import { BINDS, COUNT, GONE, PAGE, SIGNAL_BYTES, UNKNOWN as UNANSWERED, raise } from '../sockfs/threads/signal.js';

/** @typedef {import('../sockfs/connector.js').Connector} Connector */
/** @typedef {import('../sockfs/connector.js').Socket} Socket */
/** @typedef {import('../sockfs/connector.js').SocketOptions} SocketOptions */
/** @typedef {import('../sockfs/connector.js').Target} Target */

/**
 * What the worker tells the page.
 * @typedef {{ op: 'started' }
 *   | { op: 'stopped', text: string }
 *   | { op: 'hello', layout: number, token: string, signal: SharedArrayBuffer }
 *   | { op: 'connect', id: number, buffer: SharedArrayBuffer, kind?: number, host: string, port: number, family?: 4 | 6, timeoutMs: number, socketOptions?: SocketOptions, name?: string }
 *   | { op: 'exchange', id: number, buffer: SharedArrayBuffer, request: import('./exchange.js').ExchangeRequest }
 *   | { op: 'options', id: number, options: SocketOptions }
 *   | { op: 'kick', id: number }
 *   | { op: 'resolve', name: string, buffer: SharedArrayBuffer }
 *   | { op: 'note', token: string, text: string }
 *   | { op: 'nested', id: number, port: MessagePort }
 *   | { op: 'terminated', id: number }
 *   | { op: 'closed' }} Message
 */

/**
 * The page hears of taken bytes when so many have gathered; a quarter keeps the sender
 * from ever standing still for it.
 */
const GRANT_BYTES = IN_BYTES / 4;

/** Buffers kept for the next sockets. */
const SPARE_BUFFERS = 16;

/**
 * Received bytes are copied here first: programs read a few kilobytes at a time, and each
 * would be a buffer for the garbage collector.
 */
const SCRATCH_BYTES = 1 << 16;

/** The longest single sleep: how late an interrupt is noticed at most. */
const SLICE_MS = 50;

/** Why a connection ended whose page half is no more. */
const UNINSTALLED = ending(CODES.not_connected, 'sockmux was uninstalled from the page');
/** Why a connection has no end of its own. */
const GIVEN_UP = ending(CODES.timed_out, 'the program gave it up before there was an answer');

const scratch = new Uint8Array(SCRATCH_BYTES);

/** @implements {Connector} */
export class RingConnector {
	canWait = true;
	/** @type {Connector['takeSignal']} */
	takeSignal;
	failures = new Failures();
	#post;
	#pump;
	#signal = new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES));
	#watch = new Watch(this.#signal);
	/** The signal's count before the sockets were last looked at. */
	#seen = 0;
	#nextId = 1;
	#names = new Names((name, buffer) => this.#post({ op: 'resolve', name, buffer }));
	/**
	 * Buffers of closed sockets; usable again once the page has released them.
	 * @type {SharedArrayBuffer[]}
	 */
	#spares = [];

	/**
	 * @param {(message: Message) => void} post  sends to the page at once
	 * @param {() => void} pump  lets the program handle what has come for it meanwhile; may throw, which ends the wait
	 * @param {{ peers?: boolean, report?: (text: string) => void, interrupted?: () => boolean }} [options]  see Connector
	 */
	constructor(post, pump, { peers = false, report, interrupted } = {}) {
		this.#post = post;
		this.#pump = pump;
		this.peers = peers;
		this.report = report;
		this.interrupted = interrupted;
	}

	/** What the page raises with every change, and this thread with its own. */
	get signal() {
		return /** @type {SharedArrayBuffer} */ (this.#signal.buffer);
	}

	/** @param {() => void} listener */
	onchange(listener) {
		return this.#watch.onchange(listener);
	}

	/** Tells what has changed since the thread ran its tasks. */
	tellEvents() {
		this.#watch.look();
	}

	/**
	 * Makes itself known to the page.
	 * @param {string} token  which of the page's calls this answers
	 */
	hello(token) {
		this.#post({ op: 'hello', layout: LAYOUT, token, signal: this.signal });
	}

	/** Whether the page has answered or may still do so. */
	get alive() {
		return Atomics.load(this.#signal, PAGE) !== GONE;
	}

	/** Whether the page lets programs bind ports. Waits for its answer. */
	get binds() {
		while (Atomics.load(this.#signal, PAGE) === UNANSWERED) this.wait(SLICE_MS);
		return Atomics.load(this.#signal, PAGE) === BINDS;
	}

	/**
	 * @param {Target} target
	 * @param {(event: import('../sockfs/connector.js').SocketEvent) => void} [onevent]
	 */
	connect({ kind, host, port, family, timeoutMs = 0, socketOptions, name }, onevent) {
		return this.#socket({ host, port }, (id, buffer) => ({ op: 'connect', id, buffer, ...(kind && { kind }), host, port, ...(family && { family }), timeoutMs, ...(socketOptions && { socketOptions }), ...(name && { name }) }), onevent);
	}

	/**
	 * Has the page make an HTTP exchange. The socket's bytes are the answer, as exchange.js says.
	 * @param {import('./exchange.js').ExchangeRequest} request
	 */
	exchange(request) {
		const { hostname, port, protocol } = new URL(request.url);
		return this.#socket({ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) }, (id, buffer) => ({ op: 'exchange', id, buffer, request }));
	}

	/**
	 * @param {{ host: string, port: number }} target  under which its failure is found
	 * @param {(id: number, buffer: SharedArrayBuffer) => Message} message  that asks the page for it
	 * @param {(event: import('../sockfs/connector.js').SocketEvent) => void} [onevent]
	 */
	#socket({ host, port }, message, onevent) {
		const id = this.#nextId++;
		const buffer = this.#takeBuffer();
		this.failures.begin(host, port);
		this.#post(message(id, buffer));
		let unwatch = () => {};
		const socket = new RingSocket(buffer, {
			kick: () => this.#post({ op: 'kick', id }),
			setOptions: (options) => this.#post({ op: 'options', id, options }),
			failed: (why) => this.failures.add(host, port, why),
			alive: () => this.alive,
			changed: () => {
				this.#watch.changed();
				raise(this.#signal);
			},
			release: () => {
				unwatch();
				this.#giveBack(buffer);
			},
		});
		if (this.peers && onevent) unwatch = this.#watch.add({ look: () => socket.look(), tell: onevent });
		return socket;
	}

	/**
	 * @param {{ host: string, port: number }} target
	 * @param {import('../tunnel/datagrams.js').Handlers} handlers
	 */
	datagrams(target, handlers) {
		return new RingDatagrams((given, onevent) => this.connect(given, onevent), target, handlers);
	}

	/** @type {import('../sockfs/connector.js').Connector['lookup']} */
	lookup = (name) => (this.alive ? this.#names.lookup(name) : UNKNOWN);

	/**
	 * Blocks until something may have changed, at most so long. The caller looks again
	 * afterwards in any case.
	 * @param {number} milliseconds
	 */
	wait(milliseconds) {
		this.#pump();
		return this.nap(milliseconds);
	}

	/**
	 * The same for what may not be left by an exception: nothing is handled meanwhile.
	 * @param {number} milliseconds
	 */
	nap(milliseconds) {
		const result = Atomics.wait(this.#signal, COUNT, this.#seen, Math.min(milliseconds, SLICE_MS));
		this.#seen = Atomics.load(this.#signal, COUNT);
		return result !== 'timed-out';
	}

	#takeBuffer() {
		const at = this.#spares.findIndex((buffer) => Atomics.load(wordsOf(buffer), WORD.released) === 1);
		if (at < 0) return new SharedArrayBuffer(BUFFER_BYTES);
		const [buffer] = this.#spares.splice(at, 1);
		wordsOf(buffer).fill(0);
		return buffer;
	}

	/** @param {SharedArrayBuffer} buffer */
	#giveBack(buffer) {
		if (this.#spares.length >= SPARE_BUFFERS) this.#spares.shift();
		this.#spares.push(buffer);
	}
}

/**
 * What a socket needs of its connector.
 * @typedef {object} Owner
 * @property {() => void} kick  tells the page to look
 * @property {(options: SocketOptions) => void} setOptions
 * @property {(why: import('../wire/codes.js').Ending) => void} failed  the program has got the error, or given up
 * @property {() => boolean} alive  whether the page is there
 * @property {() => void} changed  the program has changed it
 * @property {() => void} release  the buffer is needed no more
 */

/** @implements {Socket} */
class RingSocket {
	#buffer;
	#words;
	#in;
	#out;
	#owner;
	/** Taken since the page was last told. */
	#ungranted = 0;
	/** How often the program has left no room to write. */
	#filled = 0;
	#errorTaken = false;
	#closed = false;

	/**
	 * @param {SharedArrayBuffer} buffer
	 * @param {Owner} owner
	 */
	constructor(buffer, owner) {
		this.#buffer = buffer;
		this.#words = wordsOf(buffer);
		this.#in = new Uint8Array(buffer, IN_AT, IN_BYTES);
		this.#out = new Uint8Array(buffer, OUT_AT, OUT_BYTES);
		this.#owner = owner;
	}

	/** @returns {'connecting' | 'open' | 'closed'} */
	get state() {
		const state = this.#load(WORD.state);
		if (state === STATE.closed || !this.#owner.alive()) return 'closed';
		return state === STATE.open ? 'open' : 'connecting';
	}

	get error() {
		if (this.#errorTaken) return 0;
		if (this.#load(WORD.state) !== STATE.closed) return this.#owner.alive() ? 0 : ERRNO.ENETDOWN;
		// What arrived before it is read before it. A program that asks in between (R
		// does, when connect() has ended) must not take a connection for one that was
		// never made.
		return this.available > 0 ? 0 : this.#why.errno;
	}

	clearError() {
		if (this.error === 0) return;
		this.#errorTaken = true;
		this.#owner.failed(this.#why);
	}

	get errorText() {
		if (this.state !== 'closed') return '';
		const { name, text } = this.#why;
		return `${name}: ${text}`;
	}

	/** For what tells its events. @returns {import('./events.js').Look} */
	look() {
		const { state, ended, writable, available } = this;
		return { state, ended, writable, filled: this.#filled, unread: available > 0, arrived: this.#load(WORD.inPut), errno: state === 'closed' ? this.#why.errno : 0 };
	}

	/** Why it has ended; called when it is closed. */
	get ending() {
		return this.#why;
	}

	get #why() {
		return this.#load(WORD.state) === STATE.closed ? ending(this.#load(WORD.code), getText(this.#buffer, 'why')) : UNINSTALLED;
	}

	get available() {
		return span(this.#load(WORD.inPut), this.#load(WORD.inTaken));
	}

	get ended() {
		return this.#load(WORD.eof) === 1 || this.state === 'closed';
	}

	get eof() {
		// The flag first: what it speaks of is in the ring before it is set.
		return this.ended && this.available === 0;
	}

	get room() {
		return OUT_BYTES - span(this.#load(WORD.outPut), this.#load(WORD.outFreed));
	}

	get unsent() {
		return OUT_BYTES - this.room;
	}

	get writable() {
		return isWritable(this.room, OUT_BYTES);
	}

	get local() {
		return this.#end('bound', WORD.boundPort);
	}

	get remote() {
		return this.#end('remote', WORD.remotePort);
	}

	/** @param {number} max */
	recv(max) {
		const bytes = this.peek(max);
		if (bytes === null) return null;
		Atomics.add(this.#words, WORD.inTaken, bytes.length);
		this.#ungranted += bytes.length;
		if (this.#ungranted >= GRANT_BYTES) {
			this.#ungranted = 0;
			this.#tell();
		}
		return bytes;
	}

	/** @param {number} max */
	peek(max) {
		const count = Math.min(max, this.available);
		if (count === 0) return null;
		const at = (this.#load(WORD.inTaken) >>> 0) % IN_BYTES;
		const first = Math.min(count, IN_BYTES - at);
		const bytes = count <= SCRATCH_BYTES ? scratch.subarray(0, count) : new Uint8Array(count);
		bytes.set(this.#in.subarray(at, at + first));
		if (first < count) bytes.set(this.#in.subarray(0, count - first), first);
		return bytes;
	}

	/** @param {Uint8Array} bytes */
	send(bytes) {
		const count = Math.min(bytes.length, this.room);
		if (count === 0) return 0;
		const at = (this.#load(WORD.outPut) >>> 0) % OUT_BYTES;
		const first = Math.min(count, OUT_BYTES - at);
		this.#out.set(bytes.subarray(0, first), at);
		if (first < count) this.#out.set(bytes.subarray(first, count));
		Atomics.add(this.#words, WORD.outPut, count);
		if (!this.writable) this.#filled++;
		this.#tell();
		return count;
	}

	/** @param {0 | 1 | 2} how */
	shutdown(how) {
		if (how !== 1) Atomics.or(this.#words, WORD.want, WANT.stopRead);
		if (how !== 0) Atomics.or(this.#words, WORD.want, WANT.endWrite);
		this.#tell();
		this.#owner.changed();
	}

	close() {
		this.#leave(WANT.close);
	}

	reset() {
		this.#leave(WANT.close | WANT.reset);
	}

	/** @param {SocketOptions} options */
	setOptions(options) {
		this.#owner.setOptions(options);
	}

	/** @param {number} want */
	#leave(want) {
		if (this.#closed) return;
		if (this.state === 'connecting') this.#owner.failed(GIVEN_UP);
		this.#closed = true;
		Atomics.or(this.#words, WORD.want, want);
		this.#tell();
		this.#owner.release();
		this.#owner.changed();
	}

	/** @param {number} word */
	#load(word) {
		return Atomics.load(this.#words, word);
	}

	/** One message at a time: the page clears the flag before it looks. */
	#tell() {
		if (Atomics.exchange(this.#words, WORD.kicked, 1) === 0) this.#owner.kick();
	}

	/** @param {'bound' | 'remote'} area @param {number} port  the word with the port */
	#end(area, port) {
		const addr = getText(this.#buffer, area);
		return addr ? { addr, port: this.#load(port) } : null;
	}
}
