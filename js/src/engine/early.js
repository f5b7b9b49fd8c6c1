// The first WebSocket, made while the Go program is still on its way: its handshake and the
// program's start take their time side by side.

/** @typedef {{ socket: WebSocket, attempt: string }} Dialed */

/**
 * How old a WebSocket without a HELLO may be when Go takes it. Servers end one after 10 s by
 * default (--handshake-timeout), and the HELLO must reach them before that.
 */
export const FRESH_MS = 4000;

export class Early {
	#connect;
	/** @type {Dialed | null} */
	#made = null;
	#since = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	#over = false;

	/** @param {() => Dialed} connect  may throw */
	constructor(connect) {
		this.#connect = connect;
	}

	/**
	 * Makes the WebSocket, unless Go has dialed already. What fails here Go dials anew,
	 * and reports.
	 */
	begin() {
		if (this.#over || this.#made) return;
		try {
			this.#made = this.#connect();
			this.#since = performance.now();
			this.#timer = setTimeout(() => this.drop(), FRESH_MS);
		} catch {
			this.#over = true;
		}
	}

	/**
	 * Returns the WebSocket to the first dial, if it can still be used.
	 * @returns {Dialed | null}
	 */
	take() {
		const made = this.#made;
		const good = made && made.socket.readyState <= 1 && performance.now() - this.#since < FRESH_MS;
		if (good) this.#made = null;
		this.drop();
		return good ? made : null;
	}

	/** Closes a WebSocket that nothing has taken. */
	drop() {
		this.#over = true;
		clearTimeout(this.#timer);
		this.#made?.socket.close();
		this.#made = null;
	}
}
