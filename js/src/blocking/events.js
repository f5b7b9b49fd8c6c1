// Events of a blocking worker's sockets, for what listens to them: SOCKFS's peers, callbacks
// of C programs, and stacks that sleep (ASYNCIFY, JSPI). The page raises one signal for all
// sockets, so each is compared with what it was before.
//
// A thread that blocks runs no tasks. What changed meanwhile is told when it is back.

import { COUNT } from '../sockfs/threads/signal.js';

/** @typedef {import('../sockfs/connector.js').SocketEvent} SocketEvent */

/**
 * What is seen of a socket.
 * @typedef {object} Look
 * @property {'connecting' | 'open' | 'closed'} state
 * @property {number} arrived  counts the bytes that have come
 * @property {boolean} unread  whether any of them are still to be read
 * @property {boolean} ended
 * @property {boolean} writable
 * @property {number} filled  counts how often the program has filled the buffer
 * @property {number} errno  of its end, 0 where there is none
 */

/** @typedef {{ look: () => Look, tell: (event: SocketEvent) => void }} Watched */

/**
 * Names the events between two looks, in the order in which they happened.
 * @param {Look} before
 * @param {Look} now
 * @returns {SocketEvent[]}
 */
export function eventsBetween(before, now) {
	/** @type {SocketEvent[]} */
	const events = [];
	// One that has ended well was open in between.
	const opened = before.state === 'connecting' && (now.state === 'open' || (now.state === 'closed' && (now.arrived !== 0 || now.errno === 0)));
	if (opened) events.push('open');
	// A program that has read them already would find none where it was told of some.
	if (now.arrived !== before.arrived && now.unread) events.push('message');
	// It may have been filled and emptied since.
	const hadNoRoom = !before.writable || now.filled !== before.filled;
	if (now.writable && hadNoRoom && !opened && now.state === 'open') events.push('room');
	const closed = now.state === 'closed' && before.state !== 'closed';
	if (now.ended && !before.ended && !closed) events.push('close');
	if (closed) {
		if (now.errno !== 0) events.push('error');
		events.push(before.ended ? 'end' : 'close');
	}
	return events;
}

/** Watches sockets as long as there are any. */
export class Watch {
	#signal;
	/** @type {Map<Watched, Look>} */
	#sockets = new Map();
	/** @type {Set<() => void>} */
	#listeners = new Set();
	#running = false;

	/** @param {Int32Array} signal  the worker's (signal.js) */
	constructor(signal) {
		this.#signal = signal;
	}

	/**
	 * Tells a socket's events until the function that it returns is called.
	 * @param {Watched} socket
	 */
	add(socket) {
		this.#sockets.set(socket, socket.look());
		this.#run();
		return () => void this.#sockets.delete(socket);
	}

	/**
	 * Calls the listener after each change of any socket until the function that it returns is called.
	 * @param {() => void} listener
	 */
	onchange(listener) {
		this.#listeners.add(listener);
		this.#run();
		return () => void this.#listeners.delete(listener);
	}

	/** The program itself has changed a socket. */
	changed() {
		for (const listener of this.#listeners) listener();
	}

	async #run() {
		if (this.#running) return;
		this.#running = true;
		let seen = Atomics.load(this.#signal, COUNT);
		// A socket may have changed before add() returns, and its owner knows it only then.
		await undefined;
		while (this.#sockets.size > 0 || this.#listeners.size > 0) {
			if (!this.look()) {
				await /** @type {any} */ (Atomics).waitAsync(this.#signal, COUNT, seen).value;
				this.changed();
			}
			seen = Atomics.load(this.#signal, COUNT);
		}
		this.#running = false;
	}

	/** Tells what has changed since the last look. Reports whether anything has. */
	look() {
		let told = false;
		for (const [socket, before] of this.#sockets) {
			const now = socket.look();
			this.#sockets.set(socket, now);
			for (const event of eventsBetween(before, now)) {
				told = true;
				if (this.#sockets.has(socket)) socket.tell(event);
			}
			if (now.state === 'closed') this.#sockets.delete(socket);
		}
		return told;
	}
}
