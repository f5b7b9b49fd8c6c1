// A stand-in for the WebSocket that SOCKFS opens for a connection. SOCKFS and programs listen to
// it as to the WebSocket; the socket of the layer fires its events.

/** What a peer shows. @typedef {Pick<import('../connector.js').Socket, 'state' | 'writable' | 'send' | 'close'>} Carried */
/** @typedef {(...args: any[]) => void} Listener */

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * Handed to SOCKFS with a "message": the bytes stay in the socket, and SOCKFS announces no empty
 * message. One byte is never the message in which SOCKFS's own peers send their port.
 */
const TOKEN = new ArrayBuffer(1);

/** Handlers that SOCKFS sets itself. @typedef {'open' | 'message' | 'close' | 'error'} PeerEvent */

export class Peer extends EventTarget {
	static CONNECTING = CONNECTING;
	static OPEN = OPEN;
	static CLOSING = CLOSING;
	static CLOSED = CLOSED;
	CONNECTING = CONNECTING;
	OPEN = OPEN;
	CLOSING = CLOSING;
	CLOSED = CLOSED;
	binaryType = 'arraybuffer';
	bufferedAmount = 0;
	extensions = '';
	/** @type {Listener | null} */
	onopen = null;
	/** @type {Listener | null} */
	onmessage = null;
	/** @type {Listener | null} */
	onclose = null;
	/** @type {Listener | null} */
	onerror = null;
	/** @type {Carried | null} */
	#socket = null;
	#closed = false;
	/** Listeners in the style of Node's "ws". @type {Map<string, Set<Listener>>} */
	#listeners = new Map();

	/**
	 * @param {string | URL} url
	 * @param {string | string[]} [protocols]
	 */
	constructor(url, protocols = []) {
		super();
		this.url = String(url);
		this.protocol = [protocols].flat()[0] ?? '';
	}

	/** Shows the state of a socket from now on. @param {Carried} socket */
	carry(socket) {
		this.#socket = socket;
	}

	/**
	 * CONNECTING also while there is no room to write: programs that wait for OPEN wait
	 * for room.
	 */
	get readyState() {
		const socket = this.#socket;
		if (this.#closed || socket?.state === 'closed') return CLOSED;
		return socket?.state === 'open' && socket.writable ? OPEN : CONNECTING;
	}

	/** @param {string | ArrayBuffer | ArrayBufferView} data */
	send(data) {
		const bytes = typeof data === 'string' ? new TextEncoder().encode(data)
			: ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
		this.#socket?.send(bytes, true);
	}

	close() {
		if (this.#closed) return;
		this.#closed = true;
		this.#socket?.close();
	}

	/** @param {string} type @param {Listener} listener */
	on(type, listener) {
		const listeners = this.#listeners.get(type) ?? new Set();
		this.#listeners.set(type, listeners.add(listener));
		return this;
	}

	/** @param {string} type @param {Listener} listener */
	once(type, listener) {
		const first = (/** @type {any[]} */ ...args) => {
			this.off(type, first);
			listener.apply(this, args);
		};
		first.listener = listener;
		return this.on(type, first);
	}

	/** @param {string} type @param {Listener} listener */
	off(type, listener) {
		const listeners = this.#listeners.get(type);
		for (const known of listeners ?? []) {
			if (known === listener || /** @type {any} */ (known).listener === listener) listeners?.delete(known);
		}
		return this;
	}

	/** @param {string} type @param {Listener} listener */
	addListener(type, listener) {
		return this.on(type, listener);
	}

	/** @param {string} type @param {Listener} listener */
	removeListener(type, listener) {
		return this.off(type, listener);
	}

	/** Calls SOCKFS's own handler, which tells the program. @param {PeerEvent} type */
	handle(type) {
		this[`on${type}`]?.call(this, eventOf(type));
	}

	/** Calls what else listens to an event. @param {PeerEvent} type */
	fire(type) {
		const event = eventOf(type);
		this.dispatchEvent(event);
		for (const listener of [...this.#listeners.get(type) ?? []]) {
			if (type === 'message') listener.call(this, TOKEN, true);
			else listener.call(this, event);
		}
	}
}

/** @param {PeerEvent} type @returns {any} */
const eventOf = (type) => (type === 'message' ? new MessageEvent(type, { data: TOKEN }) : new Event(type));

/**
 * Reports whether sockets have peers of SOCKFS's, by which programs wait.
 * @param {import('../connector.js').Connector} connector
 * @param {Record<string, any>} ops  SOCKFS's own operations
 */
export const hasPeers = (connector, ops) => Boolean((connector.peers ?? !connector.canWait) && ops.createPeer);

/**
 * Lets SOCKFS make its peer of a connection with a Peer for the WebSocket.
 * @param {Record<string, any>} ops  SOCKFS's own operations
 * @param {any} sock
 * @param {string} addr
 * @param {number} port
 * @param {any} scope  the global object in which SOCKFS finds its WebSocket
 * @returns {Peer | null}  null: the program replaced it by a WebSocket of its own, or its URL is not
 *   the target's (a relay of the page); then SOCKFS has no peer for the target
 */
export function makePeer(ops, sock, addr, port, scope = globalThis) {
	const { WebSocket } = scope;
	let peer;
	scope.WebSocket = Peer;
	try {
		peer = ops.createPeer(sock, addr, port);
	} finally {
		scope.WebSocket = WebSocket;
	}
	const { socket } = peer;
	if (socket instanceof Peer && leadsTo(socket.url, addr, port)) return socket;
	ops.removePeer(sock, peer);
	return null;
}

/**
 * Reports whether a URL is one of the target and of nothing else there.
 * @param {string} url
 * @param {string} addr
 * @param {number} port
 */
function leadsTo(url, addr, port) {
	const rest = url.replace(/^wss?:\/\//, '');
	return rest === `${addr}:${port}/` || rest === `${addr}:${port}`;
}
