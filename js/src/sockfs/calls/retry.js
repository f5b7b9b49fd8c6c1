// A system call that would block is made again after the next change of any socket, until it
// has a result. Each attempt is a call of the program's own function; what it has done so far
// is kept by the socket's operation (call.js).

/** @typedef {import('../connector.js').Connector} Connector */
/** @typedef {import('../program/program.js').Program} Program */

/**
 * One attempt's outcome. `ticket` is 0 if `result` is final; otherwise it names the waiting.
 * @typedef {{ result: number, ticket: number }} Attempt
 */

/**
 * A system call in attempts.
 * @typedef {object} Retry
 * @property {(args: any[], ticket: number) => Attempt} attempt  ticket: of the attempt before, 0 for the first
 * @property {(args: any[], ticket: number) => number} giveUp  ends what was begun, as plain Emscripten does
 * @property {(ticket: number, result: number) => number} drop  forgets a waiting; returns the result
 */

/**
 * A call between two attempts. `until` is the time, as performance.now() gives it, at which it
 * ends without a change.
 * @typedef {{ until: number, finished?: import('./call.js').Finished }} Pause
 */

/**
 * Makes a single call. `pause` is null if the result is final.
 * @callback Make
 * @param {any[]} args
 * @param {boolean} retries
 * @param {Pause | null} earlier  of the attempt before
 * @returns {{ result: number, pause: Pause | null }}
 */

/** setTimeout() takes no more; the call is then made again and waits on. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a call waits at most. @param {number} timeout  milliseconds as poll() takes them: less than 0 for ever */
export const limitOf = (timeout) => (timeout < 0 ? Infinity : timeout);

/**
 * Makes a call that gives 0 when its time is up, as one that does not wait itself.
 * @param {number} at  which of its parameters has the time
 * @returns {(original: (...args: any[]) => any) => Make}
 */
export const onceForTime = (at) => (original) => (args, retries, earlier) => {
	if (!retries) return { result: original(...args), pause: null };
	const until = earlier?.until ?? performance.now() + limitOf(args[at]);
	const result = original(...args.map((value, i) => (i === at ? 0 : value)));
	return { result, pause: result === 0 && performance.now() < until ? { until } : null };
};

/** Who waits for what. A ticket is a number, because wasm passes it on. */
export class Waiting {
	#connector;
	/** @type {Map<number, Pause>} */
	#pauses = new Map();
	#last = 0;

	/** @param {Connector} connector */
	constructor(connector) {
		this.#connector = connector;
	}

	/**
	 * @param {Make} make
	 * @returns {Retry}
	 */
	retry(make) {
		return {
			attempt: (args, ticket) => {
				const { result, pause } = make(args, true, this.#take(ticket));
				return { result, ticket: pause === null ? 0 : this.#ticket(pause) };
			},
			giveUp: (args, ticket) => make(args, false, this.#take(ticket)).result,
			drop: (ticket, result) => {
				this.#take(ticket);
				return result;
			},
		};
	}

	/**
	 * Resolves after the next change of any socket, or when the ticket's time has come.
	 * @param {number} ticket
	 * @returns {Promise<void>}
	 */
	async wait(ticket) {
		const until = this.#pauses.get(ticket)?.until ?? 0;
		if (!this.#connector.alive) return;
		await new Promise((resolve) => {
			/** @type {ReturnType<typeof setTimeout> | undefined} */
			let timer;
			const done = () => {
				stop();
				clearTimeout(timer);
				resolve(undefined);
			};
			const stop = this.#connector.onchange?.(done) ?? (() => {});
			const left = Math.ceil(Math.max(0, until - performance.now()));
			if (until !== Infinity) timer = setTimeout(done, Math.min(left, MAX_TIMER_MS));
		});
	}

	/** Waits in a thread that may block. @param {number} ticket */
	block(ticket) {
		this.#connector.wait(Math.max(0, (this.#pauses.get(ticket)?.until ?? 0) - performance.now()));
	}

	/** @param {Pause} pause */
	#ticket(pause) {
		do this.#last = (this.#last + 1) & 0x7fffffff; while (this.#last === 0 || this.#pauses.has(this.#last));
		this.#pauses.set(this.#last, pause);
		return this.#last;
	}

	/** @param {number} ticket */
	#take(ticket) {
		const pause = this.#pauses.get(ticket) ?? null;
		this.#pauses.delete(ticket);
		return pause;
	}
}
