// Lets R run code while it waits: for its next command, and in Sys.sleep(). webR's R waits by
// functions of its worker's script, which stand where they can be replaced.

/**
 * How often it is looked whether there is something to do while R waits for its next command. webR
 * itself looks for events every 50 ms there.
 */
const SLICE_MS = 10;

/** How long R is left alone after it was asked in the midst of something else. */
const BUSY_MS = 20;

export class Idle {
	#scope;
	#due;
	#run;
	/** R waits for its next command. */
	#reading = false;
	/** R runs what it was asked to. */
	#running = false;
	#busyUntil = 0;
	/** When R has something to do by itself. */
	#alarm = Infinity;
	#wait = Atomics.wait;

	/**
	 * @param {any} scope  webR's worker
	 * @param {object} what
	 * @param {() => boolean} what.due  whether there is something to do
	 * @param {() => boolean} what.run  runs R; false: it does something else
	 */
	constructor(scope, { due, run }) {
		this.#scope = scope;
		this.#due = due;
		this.#run = run;
	}

	/**
	 * Puts the functions in their places. Returns whether they have any.
	 * @param {() => void} started  called once, before R waits for its first command
	 */
	install(started) {
		const webr = this.#scope.Module?.webr;
		const { channel } = webr ?? {};
		if (typeof webr?.handleEvents !== 'function' || typeof channel?.read !== 'function') return false;
		const handle = webr.handleEvents;
		webr.handleEvents = () => {
			handle();
			this.look();
		};
		const { read } = channel;
		let begun = false;
		channel.read = (/** @type {any[]} */ ...args) => {
			if (!begun) started();
			begun = true;
			const before = this.#reading;
			this.#reading = true;
			try {
				return Reflect.apply(read, channel, args);
			} finally {
				this.#reading = before;
			}
		};
		Object.assign(Atomics, { wait: (/** @type {any[]} */ ...args) => this.#waitInSlices(.../** @type {[any, any, any, any]} */ (args)) });
		return true;
	}

	/** R has something to do in so many milliseconds. @param {number} milliseconds */
	alarmIn(milliseconds) {
		this.#alarm = performance.now() + milliseconds;
	}

	/** Runs R if there is something to do, unless R is busy. */
	look() {
		if (this.#running || performance.now() < this.#busyUntil || !(performance.now() >= this.#alarm || this.#due())) return false;
		this.#running = true;
		try {
			const ran = this.#run();
			if (!ran) this.#busyUntil = performance.now() + BUSY_MS;
			return ran;
		} finally {
			this.#running = false;
		}
	}

	/**
	 * Atomics.wait(), which looks in between while R waits for its next command.
	 * @param {Int32Array} array
	 * @param {number} index
	 * @param {number} value
	 * @param {number} [timeout]
	 */
	#waitInSlices(array, index, value, timeout = Infinity) {
		const wait = this.#wait;
		const end = performance.now() + timeout;
		for (;;) {
			const left = end - performance.now();
			if (!this.#reading || this.#running || left <= SLICE_MS) return wait(array, index, value, Math.max(0, left));
			const result = wait(array, index, value, SLICE_MS);
			if (result !== 'timed-out') return result;
			this.look();
		}
	}
}
