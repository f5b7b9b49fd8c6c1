// The page's half of the sockets of a blocking worker: opens the streams, fills and
// empties the rings (layout.js).

import { settler } from '../api/settler.js';
import { openExchange } from './exchange.js';
import { isWritable } from '../sockfs/connector.js';
import { NOT_FOUND } from '../sockfs/names/lookup.js';
import * as KIND from '../wire/generated/kind.js';
import { IN_AT, IN_BYTES, LAYOUT, NAME, OUT_AT, OUT_BYTES, STATE, WANT, WORD, putAnswer, putText, span, wordsOf } from './layout.js';
import { BINDS, GONE, HERE, raise, tell } from '../sockfs/threads/signal.js';

/** @typedef {import('../sockfs/names/lookup.js').Resolve} Resolve */
/** @typedef {Parameters<typeof openExchange>[0]} Exchange */
/** @typedef {import('./ring.js').Message} Message */
/** @typedef {import('../wire/codes.js').Ending} Ending */
/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */
/** @typedef {import('../sockfs/opener.js').Open} Open */
/** @typedef {import('../sockfs/opener.js').StreamLike} StreamLike */

const OTHER_VERSION = 'the worker has the layer of another version of sockmux: reload the page';

/** Serves one worker. */
export class Bridge {
	#options;
	/** @type {Map<number, BridgeSocket>} */
	#sockets = new Map();
	/** Of the workers that this one has started. @type {Map<number, Bridge>} */
	#nested = new Map();
	/** @type {Int32Array | null} */
	#signal = null;
	#closed = false;
	/** @type {ReturnType<typeof settler<void>>} */
	#known = settler();
	/** Resolves when the worker's layer has made itself known, and rejects if it is of another version. */
	ready = this.#known.promise;

	/**
	 * @param {Worker | MessagePort} worker  whose messages come from its layer
	 * @param {{ open: Open, report: (text: string) => void, failed: (what: string, why: string | null) => unknown, resolve?: Resolve, binds?: boolean, exchange?: Exchange }} options
	 *   report: tells the user, a line at a time; failed: a connection never opened, null if the program did not wait for that; resolve: asks the server whether a name exists;
	 *   binds: programs may bind ports at the server; exchange: makes HTTP exchanges, absent: each fails
	 */
	constructor(worker, options) {
		this.#options = options;
		worker.addEventListener('message', (event) => {
			const message = /** @type {MessageEvent} */ (event).data?.sockmux;
			if (message === undefined) return;
			event.stopImmediatePropagation();
			this.receive(message);
		});
	}

	/** Sockets that the worker has not closed. */
	get size() {
		return this.#sockets.size;
	}

	/**
	 * Ends every socket; the worker's next ones are SOCKFS's own again, also those of a
	 * layer that makes itself known only later.
	 */
	close() {
		this.#end((socket) => socket.abandon(), (bridge) => bridge.close());
	}

	/** The worker has ended, and with it those that it has started. What they have sent still leaves. */
	ended() {
		this.#end((socket) => socket.finish(), (bridge) => bridge.ended());
	}

	/**
	 * @param {(socket: BridgeSocket) => void} leave
	 * @param {(bridge: Bridge) => void} leaveNested
	 */
	#end(leave, leaveNested) {
		if (this.#closed) return;
		this.#closed = true;
		for (const socket of this.#sockets.values()) leave(socket);
		this.#sockets.clear();
		for (const bridge of this.#nested.values()) leaveNested(bridge);
		this.#tell(GONE);
	}

	/** @param {Extract<Message, { op: 'nested' }>} message */
	#begin({ id, port }) {
		const bridge = new Bridge(port, this.#options);
		// It waits for no page that is gone.
		if (this.#closed) bridge.close();
		else this.#nested.set(id, bridge);
		port.start();
	}

	/** A message of the worker's layer. @param {Message} message */
	receive(message) {
		if (this.#closed && message.op !== 'hello' && message.op !== 'nested') return;
		switch (message.op) {
			case 'hello':
				if (message.layout !== LAYOUT) {
					this.#options.report(OTHER_VERSION);
					tell(new Int32Array(message.signal), GONE); // nothing there waits for this page
					this.#known.reject(new Error(OTHER_VERSION));
					return;
				}
				this.#signal = new Int32Array(message.signal);
				this.#tell(this.#closed ? GONE : this.#options.binds ? BINDS : HERE);
				this.#known.resolve();
				break;
			case 'connect':
				this.#connect(message);
				break;
			case 'kick':
				// Each look makes Go run and may send a message: one for all that the
				// worker has touched meanwhile.
				for (const socket of this.#sockets.values()) socket.lookIfKicked();
				break;
			case 'exchange':
				this.#exchange(message);
				break;
			case 'options':
				this.#sockets.get(message.id)?.setOptions(message.options);
				break;
			case 'resolve':
				this.#resolve(message);
				break;
			case 'note':
				this.#options.report(message.text);
				break;
			case 'nested':
				this.#begin(message);
				break;
			case 'terminated':
				this.#nested.get(message.id)?.ended();
				this.#nested.delete(message.id);
				break;
			case 'closed':
				this.ended();
				break;
		}
	}

	/** @param {Extract<Message, { op: 'connect' }>} message */
	#connect({ id, buffer, kind, host, port, family, timeoutMs, socketOptions, name }) {
		const request = { ...(kind && { kind }), host, port, ...(family && { family }), window: IN_BYTES, ...(timeoutMs > 0 && { timeoutMs }), ...(socketOptions && { socketOptions }), ...(name && { name }) };
		this.#serve(id, buffer, whatOf(kind, name ?? `${host}:${port}`), (handlers) => this.#options.open(request, handlers));
	}

	/** @param {Extract<Message, { op: 'exchange' }>} message */
	#exchange({ id, buffer, request }) {
		const { exchange = noExchange } = this.#options;
		this.#serve(id, buffer, `GET ${request.url}`, (handlers) => openExchange(exchange, request, handlers));
	}

	/**
	 * @param {number} id
	 * @param {SharedArrayBuffer} buffer
	 * @param {string} what  failed, if it never opens
	 * @param {(handlers: Handlers) => StreamLike} open
	 */
	#serve(id, buffer, what, open) {
		// A layer that has not made itself known may have another layout of its buffers.
		if (!this.#signal) return;
		const socket = new BridgeSocket(buffer, {
			notify: () => this.#notify(),
			failed: (why) => this.#options.failed(what, why && `${why.name}: ${why.text || 'no more is known'}`),
			released: () => this.#sockets.delete(id),
		});
		this.#sockets.set(id, socket);
		socket.bind(open);
	}

	/** @param {Extract<Message, { op: 'resolve' }>} message */
	#resolve({ name, buffer }) {
		const answer = (/** @type {number} */ state, /** @type {readonly string[]} */ found = []) => {
			putAnswer(buffer, state, found);
			this.#notify();
		};
		const { resolve } = this.#options;
		// A server that cannot be asked leaves the name to connect().
		if (!resolve) return answer(NAME.found);
		return resolve(name).then(({ addresses, names }) => answer(NAME.found, [...addresses, ...names]), (error) => answer(error?.name === NOT_FOUND ? NAME.missing : NAME.found));
	}

	/** @param {number} page  HERE, BINDS or GONE */
	#tell(page) {
		if (this.#signal) tell(this.#signal, page);
	}

	#notify() {
		if (this.#signal) raise(this.#signal);
	}
}

/** @type {Exchange} */
const noExchange = () => Promise.reject(new TypeError('the page makes no HTTP requests for workers'));

/** What failed. @param {number | undefined} kind @param {string} target */
function whatOf(kind, target) {
	if (kind === KIND.udp) return target === ':0' ? 'a UDP socket' : `a UDP socket to ${target}`;
	if (kind === KIND.udp_bound) return `binding UDP port ${target}`;
	return `${kind === KIND.listen ? 'listening on' : 'connection to'} ${target}`;
}

/** One socket of the worker. */
class BridgeSocket {
	#buffer;
	#words;
	#in;
	#out;
	#owner;
	/** @type {StreamLike | null} */
	#stream = null;
	/**
	 * What the ring has no room for. Empty as long as the stream keeps to its window.
	 * @type {Uint8Array[]}
	 */
	#waiting = [];
	#eof = false;
	/** @type {Ending | null} */
	#ending = null;
	/** Bytes of the out ring that the stream has got. */
	#handed = 0;
	#granted = 0;
	#opened = false;
	#wants = 0;
	/** The buffer is the worker's alone again. */
	#released = false;

	/**
	 * @param {SharedArrayBuffer} buffer
	 * @param {{ notify: () => void, failed: (why: Ending | null) => void, released: () => void }} owner
	 *   failed: it never opened, null if the program did not wait for that; released: the program has closed it
	 */
	constructor(buffer, owner) {
		this.#buffer = buffer;
		this.#words = wordsOf(buffer);
		this.#in = new Uint8Array(buffer, IN_AT, IN_BYTES);
		this.#out = new Uint8Array(buffer, OUT_AT, OUT_BYTES);
		this.#owner = owner;
	}

	/** @param {(handlers: Handlers) => StreamLike} open */
	bind(open) {
		this.#stream = open({
			onopen: ({ bound, remote }) => {
				this.#opened = true;
				if (this.#released) return;
				putText(this.#buffer, 'bound', bound?.addr ?? '');
				putText(this.#buffer, 'remote', remote?.addr ?? '');
				Atomics.store(this.#words, WORD.boundPort, bound?.port ?? 0);
				Atomics.store(this.#words, WORD.remotePort, remote?.port ?? 0);
				Atomics.store(this.#words, WORD.state, STATE.open);
				this.#owner.notify();
			},
			ondata: (bytes) => {
				if (this.#released) return;
				this.#waiting.push(bytes);
				this.#fill();
				this.#owner.notify();
			},
			oneof: () => {
				this.#eof = true;
				this.#fill();
				if (!this.#released) this.#owner.notify();
			},
			onwritten: (bytes) => {
				if (this.#released) return;
				this.#free(bytes);
			},
			holds: () => !this.#released && Atomics.load(this.#words, WORD.outPut) >>> 0 !== this.#handed,
			onclose: (why) => this.#end(why),
		});
		this.look();
	}

	/** Looks where a message about this socket is on its way, which then finds nothing to do. */
	lookIfKicked() {
		if (Atomics.load(this.#words, WORD.kicked) === 1) this.look();
	}

	/** The worker has taken, put or asked for something. */
	look() {
		if (this.#released) return;
		Atomics.store(this.#words, WORD.kicked, 0);
		this.#drain();
		this.#grant();
		const wants = Atomics.load(this.#words, WORD.want);
		const fresh = wants & ~this.#wants;
		this.#wants = wants;
		if (fresh === 0) return;
		// What it put before it asked is in the ring now, if it was not before.
		this.#drain();
		if (fresh & WANT.stopRead) this.#stream?.stop();
		if (fresh & WANT.endWrite) this.#stream?.closeWrite();
		if (fresh & WANT.close) {
			if (!this.#opened && this.#ending === null) this.#owner.failed(null);
			this.#release();
			if (fresh & WANT.reset) this.#stream?.reset();
			else this.#stream?.close();
		}
	}

	/** @param {import('../sockfs/connector.js').SocketOptions} options */
	setOptions(options) {
		this.#stream?.setSocketOptions?.(options);
	}

	/** The tunnel goes away. */
	abandon() {
		this.#release();
		this.#stream?.reset();
	}

	/** The worker has ended: as close(2) of what it has left open. */
	finish() {
		this.look();
		if (this.#released) return;
		this.#release();
		this.#stream?.close();
	}

	/** @param {Ending} why */
	#end(why) {
		this.#ending = why;
		this.#fill();
		if (this.#released) return;
		this.#owner.notify();
		if (!this.#opened && why.code !== 0) this.#owner.failed(why);
	}

	/** Hands the stream what the worker has put; the room is free only when it has left. */
	#drain() {
		const count = span(Atomics.load(this.#words, WORD.outPut), this.#handed);
		if (count === 0) return;
		const at = this.#handed % OUT_BYTES;
		const first = Math.min(count, OUT_BYTES - at);
		this.#handed = (this.#handed + count) >>> 0;
		this.#stream?.write(this.#out.subarray(at, at + first));
		if (first < count) this.#stream?.write(this.#out.subarray(0, count - first));
	}

	/**
	 * Frees room in the ring. The worker waits for what poll() calls writable, so it is woken
	 * when that begins: other wakes cost two switches of threads and change nothing.
	 * @param {number} bytes
	 */
	#free(bytes) {
		const freed = Atomics.add(this.#words, WORD.outFreed, bytes) >>> 0;
		// After the add: a worker that puts more from now on reads the sum itself.
		const before = OUT_BYTES - span(Atomics.load(this.#words, WORD.outPut), freed);
		if (!isWritable(before, OUT_BYTES) && isWritable(before + bytes, OUT_BYTES)) this.#owner.notify();
	}

	/** Allows as many bytes as the worker has taken. */
	#grant() {
		const taken = Atomics.load(this.#words, WORD.inTaken) >>> 0;
		const count = span(taken, this.#granted);
		this.#granted = taken;
		if (this.#waiting.length > 0) {
			this.#fill();
			this.#owner.notify();
		}
		if (count > 0) this.#stream?.grant(count);
	}

	/** Moves what has arrived into the ring, then tells of the end behind it. */
	#fill() {
		if (this.#released) return;
		let put = Atomics.load(this.#words, WORD.inPut) >>> 0;
		let room = IN_BYTES - span(put, Atomics.load(this.#words, WORD.inTaken));
		while (this.#waiting.length > 0 && room > 0) {
			const head = this.#waiting[0];
			const count = Math.min(head.length, room);
			const at = put % IN_BYTES;
			const first = Math.min(count, IN_BYTES - at);
			this.#in.set(head.subarray(0, first), at);
			if (first < count) this.#in.set(head.subarray(first, count));
			put = (put + count) >>> 0;
			room -= count;
			if (count === head.length) {
				this.#waiting.shift();
				/** @type {any} */ (head.buffer).transfer?.(0); // as in engine/carrier.js: what arrives next finds warm memory
			} else this.#waiting[0] = head.subarray(count);
		}
		Atomics.store(this.#words, WORD.inPut, put | 0);
		if (this.#waiting.length > 0) return;
		if (this.#eof) Atomics.store(this.#words, WORD.eof, 1);
		if (this.#ending === null || Atomics.load(this.#words, WORD.state) === STATE.closed) return;
		putText(this.#buffer, 'why', this.#ending.text);
		Atomics.store(this.#words, WORD.code, this.#ending.code);
		Atomics.store(this.#words, WORD.state, STATE.closed);
	}

	#release() {
		if (this.#released) return;
		this.#released = true;
		this.#waiting = [];
		Atomics.store(this.#words, WORD.released, 1);
		this.#owner.released();
	}
}
