// Why connections failed, for programs that have no place for a reason: R's error says
// only "cannot open the connection".

/**
 * How many targets are remembered. A program that tries more has forgotten the first ones
 * itself.
 */
const MAX_TARGETS = 256;

export class Failures {
	/** Of the latest connection; '' if that is well. */
	last = '';
	/** @type {Map<string, string>} */
	#byTarget = new Map();

	/**
	 * A connection is attempted: what was wrong before is of no interest any more.
	 * @param {string} host
	 * @param {number} port
	 */
	begin(host, port) {
		this.last = '';
		this.#byTarget.delete(`${host}:${port}`);
	}

	/**
	 * @param {string} host
	 * @param {number} port
	 * @param {Pick<import('../wire/codes.js').Ending, 'name' | 'text'>} why
	 */
	add(host, port, { name, text }) {
		const target = `${host}:${port}`;
		const known = text || 'no more is known';
		this.last = `${name}: ${known.startsWith(target) ? known : `${target}: ${known}`}`;
		this.#byTarget.delete(target);
		this.#byTarget.set(target, this.last);
		const [oldest] = this.#byTarget.keys();
		if (this.#byTarget.size > MAX_TARGETS) this.#byTarget.delete(oldest);
	}

	/**
	 * Returns why the latest connection to a target failed, '' if it did not or there was none.
	 * @param {string} host
	 * @param {number} port
	 */
	of(host, port) {
		return this.#byTarget.get(`${host}:${port}`) ?? '';
	}
}
