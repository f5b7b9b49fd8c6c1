// What JavaScript may ask of R in the midst of a call of R's own: it is a call from C there, so that
// R's conditions have the call of the R function that is under way.

/** Bytes of a pointer in R's memory. */
const POINTER = 4;

export class R {
	#scope;

	/** @param {any} scope  R's worker, where its functions are global */
	constructor(scope) {
		this.#scope = scope;
	}

	/** R's memory as words. @returns {Uint32Array} */
	get words() {
		return this.#scope.HEAPU32;
	}

	/** The text at an address. @param {number} at @param {number} [most]  bytes */
	text(at, most) {
		return this.#scope.UTF8ToString(at, most);
	}

	/**
	 * Evaluates an expression in R's global environment. R's conditions pass through.
	 * @param {string} code
	 * @returns {number}  the address of its value
	 */
	evaluate(code) {
		const { Module } = this.#scope;
		return this.#with(code, (at) => Module._R_ParseEvalString(at, Module.getValue(Module._R_GlobalEnv, '*')));
	}

	/**
	 * Returns the number of an expression's value. R's NA is the least of them.
	 * @param {string} code
	 * @returns {number}
	 */
	integer(code) {
		return this.#scope.Module._Rf_asInteger(this.evaluate(code));
	}

	/** Returns the text that an expression gives. @param {string} code */
	string(code) {
		const { Module } = this.#scope;
		return this.text(Module._R_CHAR(Module._STRING_ELT(this.evaluate(code), 0)));
	}

	/** The address of a connection's structure. @param {number} connection  an expression's value */
	connectionAt(connection) {
		return this.#scope.Module._R_GetConnection(connection);
	}

	/** Writes to R's standard error. @param {string} text */
	print(text) {
		this.#formatted('_REprintf', text);
	}

	/** Signals a warning, which a program may leave the call by. @param {string} text */
	warn(text) {
		this.#formatted('_Rf_warning', text);
	}

	/** Signals an error: never returns. @param {string} text @returns {never} */
	stop(text) {
		this.#formatted('_Rf_error', text);
		throw new Error(text); // for the compiler
	}

	/** @param {string} name  of a function of C that takes a format and its arguments @param {string} text */
	#formatted(name, text) {
		const { Module } = this.#scope;
		this.#with('%s', (format) => this.#with(text, (at) => {
			const list = Module._malloc(POINTER);
			try {
				this.words[list / POINTER] = at;
				Module[name](format, list);
			} finally {
				Module._free(list);
			}
		}));
	}

	/**
	 * @template T
	 * @param {string} text
	 * @param {(at: number) => T} use
	 * @returns {T}
	 */
	#with(text, use) {
		const { Module } = this.#scope;
		const at = Module.allocateUTF8(text);
		try {
			return use(at);
		} finally {
			Module._free(at);
		}
	}
}
