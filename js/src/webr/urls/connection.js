// The structure of C behind a url() of webR. Where its open function is left by one of R's conditions,
// a pointer in it is whatever memory held before, and R frees it with the connection. So the pointer
// is cleared first. Where the structure keeps it is found once, by a connection made for that.

/** A word in the private part: the bytes that were received. Two words further on are the header fields. */
const BUFFER = 0;
const FIELDS = 2;

/** Words of a connection's structure that are looked at; webR 0.6.0 has the pointer at 89. */
const SPAN = 256;

const MARK = 'X-Sockmux: mark';

/** Addresses below this one are nothing's. */
const LOWEST = 1024;

/** @typedef {import('../r.js').R} R */

export class Connections {
	#r;
	/** The word with the pointer to the private part; null: not looked for yet, -1: not found. @type {number | null} */
	#at = null;

	/** @param {R} r */
	constructor(r) {
		this.#r = r;
	}

	/**
	 * Makes the connection whose open function is under way safe to be left. Reports whether it is.
	 * @param {string} url
	 */
	secure(url) {
		const at = this.#at ??= this.#find();
		if (at < 0) return false;
		const number = this.#r.integer(`(function(url) {
			for (n in rev(getAllConnections())) {
				about <- tryCatch(summary(getConnection(n)), error = function(e) NULL)
				if (identical(about$class, "url-xhr") && identical(about$description, url) && identical(about$opened, "closed")) return(n)
			}
			-1L
		})(${JSON.stringify(url)})`);
		if (number < 0) return false;
		const { words } = this.#r;
		const inside = words[this.#r.connectionAt(this.#r.evaluate(`getConnection(${number}L)`)) / 4 + at];
		if (!this.#isAddress(inside)) return false;
		words[inside / 4 + BUFFER] = 0;
		return true;
	}

	#find() {
		const connection = this.#r.evaluate(`.sockmux_mark <- url("http://sockmux.invalid/", headers = c("X-Sockmux" = "mark"))`);
		try {
			const { words } = this.#r;
			const start = this.#r.connectionAt(connection) / 4;
			for (let at = 0; at < SPAN; at++) {
				const inside = words[start + at];
				if (!this.#isAddress(inside) || !this.#isMark(words[inside / 4 + FIELDS])) continue;
				words[inside / 4 + BUFFER] = 0;
				return at;
			}
			return -1;
		} finally {
			this.#r.evaluate('{ close(.sockmux_mark); rm(.sockmux_mark) }');
		}
	}

	/** @param {number} at */
	#isAddress(at) {
		return at >= LOWEST && at % 4 === 0 && at < this.#r.words.byteLength - 64;
	}

	/** @param {number} at */
	#isMark(at) {
		return at >= LOWEST && at < this.#r.words.byteLength && this.#r.text(at, MARK.length + 2).includes(MARK);
	}
}
