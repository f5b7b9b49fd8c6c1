// Lines that a server has the page write: a hostile one must not fill the console, which
// costs the page more than anything else.

/** Lines of one second. */
const MAX_LINES = 10;

const SECOND_MS = 1000;

export class Limiter {
	#write;
	#lines = 0;
	#held = 0;
	/** The second is under way. */
	#counting = false;

	/** @param {(level: number, line: string) => void} write */
	constructor(write) {
		this.#write = write;
	}

	/**
	 * Writes a line. Beyond MAX_LINES in a second it is counted instead, and the count is
	 * written when the second is over.
	 * @param {number} level
	 * @param {string} line
	 */
	say(level, line) {
		if (!this.#counting) setTimeout(() => this.#next(), SECOND_MS);
		this.#counting = true;
		if (this.#lines < MAX_LINES) {
			this.#lines++;
			this.#write(level, line);
		} else this.#held++;
	}

	#next() {
		const held = this.#held;
		this.#counting = false;
		this.#lines = this.#held = 0;
		if (held > 0) this.say(1, `${held} more lines of the server were not written`);
	}
}
