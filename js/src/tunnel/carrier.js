// The WebSockets under the tunnel. They are made with the constructor that the page had before ours took its place, or the tunnel
// would travel through itself.

/** @typedef {import('./boundary.js').Boundary} Boundary */
/** @typedef {import('./traffic.js').Traffic} Traffic */

const SUBPROTOCOL = 'sockmux.v1';

/** The first byte of a message behind which a bare one comes: nothing but bytes of the session (docs/PROTOCOL.md, 3.2). */
const FORE = 8;

/** How long the question why a dial failed may take: the next attempt waits for the answer. */
const PROBE_MS = 2000;

export class Carriers {
	/** @type {Map<number, WebSocket>} */
	#sockets = new Map();
	#boundary;
	#Native;
	#url;
	#traffic;
	#probe;

	/**
	 * @param {Boundary} boundary
	 * @param {{ url: string, Native: typeof WebSocket, traffic: Traffic, probe?: (url: string) => Promise<string> }} options
	 *   probe finds out why a dial failed, which the browser hides from scripts
	 */
	constructor(boundary, { url, Native, traffic, probe = whyUnreachable }) {
		this.#boundary = boundary;
		this.#url = url;
		this.#Native = Native;
		this.#traffic = traffic;
		this.#probe = probe;
	}

	/** @param {number} id */
	dial(id) {
		let opened = false;
		let bare = false;
		let socket;
		try {
			socket = new this.#Native(this.#url, SUBPROTOCOL);
		} catch (error) {
			queueMicrotask(() => this.#boundary.carrierClosed(id, String(error)));
			return;
		}
		this.#sockets.set(id, socket);
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => {
			opened = true;
			this.#boundary.carrierOpened(id);
		};
		socket.onmessage = ({ data }) => {
			if (!(data instanceof ArrayBuffer)) {
				socket.close(3003, 'text message');
				return;
			}
			this.#traffic.messagesIn++;
			this.#traffic.bytesIn += data.byteLength;
			if (bare) {
				bare = false;
				this.#boundary.carrierBody(id, data);
				return;
			}
			const message = new Uint8Array(data);
			bare = message[0] === FORE;
			this.#boundary.carrierMessage(id, message, bare);
			/** @type {any} */ (data).transfer?.(0); // given back now, the memory is still warm when the next message needs it
		};
		socket.onclose = async ({ code, reason }) => {
			this.#sockets.delete(id);
			let why = `the connection ended with code ${code}${reason === '' ? '' : `: ${reason}`}`;
			if (!opened) why = await this.#probe(this.#url);
			this.#boundary.carrierClosed(id, why);
		};
	}

	/**
	 * @param {number} id
	 * @param {Uint8Array} message  copied
	 * @returns {number} bytes that the browser has not sent yet
	 */
	send(id, message) {
		const socket = this.#sockets.get(id);
		// While CONNECTING send() throws, and after the end it only counts: Go learns of the end by carrierClosed.
		if (socket?.readyState !== 1) return 0;
		socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (message));
		this.#traffic.messagesOut++;
		this.#traffic.bytesOut += message.length;
		return socket.bufferedAmount;
	}

	/** @param {number} id */
	buffered(id) {
		return this.#sockets.get(id)?.bufferedAmount ?? 0;
	}

	/**
	 * @param {number} id
	 * @param {number} code
	 * @param {string} reason
	 */
	close(id, code, reason) {
		const socket = this.#sockets.get(id);
		if (!socket) return;
		// A script may send only these codes; the others are the browser's own.
		const allowed = code === 1000 || (code >= 3000 && code <= 4999);
		if (allowed) socket.close(code, cutReason(reason));
		else socket.close();
	}

	/** Ends all without a word: their program is gone. */
	drop() {
		for (const socket of this.#sockets.values()) {
			socket.onopen = socket.onmessage = socket.onclose = null;
			socket.close();
		}
		this.#sockets.clear();
	}
}

/** A close reason has at most 123 bytes (RFC 6455, 5.5); the cut never falls into a character. @param {string} reason */
export function cutReason(reason) {
	const bytes = new TextEncoder().encode(reason);
	if (bytes.length <= 123) return reason;
	return new TextDecoder().decode(bytes.subarray(0, 123), { stream: true });
}

/**
 * Asks the server for its script, which every page may read: an answer means that it is there and refused the upgrade.
 * @param {string} url
 */
export async function whyUnreachable(url) {
	const script = new URL('../sockmux.js', url.replace(/^ws/, 'http'));
	try {
		await fetch(script, { method: 'HEAD', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PROBE_MS) });
	} catch {
		return `${script.origin} cannot be reached, or the Content-Security-Policy of this page forbids it`;
	}
	return `${script.origin} answers, but accepts no WebSocket from this page: the server must be started with --allow-origin ${globalThis.location?.origin ?? 'ORIGIN'}`;
}
