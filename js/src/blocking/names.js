// Names, asked from a worker that blocks: the page writes the answer into shared memory.

import { ASK_MS, FOUND_MS, MAX_NAMES, MISSING_MS, UNKNOWN, lookAgainAt } from '../sockfs/names/lookup.js';
import { judgeHost } from '../sockfs/names/names.js';
import { NAME, NAME_BYTES, getAnswer } from './layout.js';

/** @typedef {import('../sockfs/connector.js').Connector} Connector */
/** @typedef {import('../sockfs/names/lookup.js').Lookup} Lookup */

/** What gethostbyname() of Emscripten gives where there is no address: it cannot fail. */
const NONE = '0.0.0.0';

export class Names {
	#ask;
	/** @type {Map<string, { buffer: SharedArrayBuffer, asked: number }>} */
	#known = new Map();

	/** @param {(name: string, buffer: SharedArrayBuffer) => void} ask  tells the page */
	constructor(ask) {
		this.#ask = ask;
	}

	/**
	 * @param {string} name
	 * @returns {Lookup}
	 */
	lookup(name) {
		const age = (/** @type {number} */ asked) => performance.now() - asked;
		const entry = this.#known.get(name);
		if (entry) {
			const state = Atomics.load(new Int32Array(entry.buffer), 0);
			if (state === NAME.found && age(entry.asked) < FOUND_MS) return { state: 'found', found: getAnswer(entry.buffer) };
			if (state === NAME.missing && age(entry.asked) < MISSING_MS) return { state: 'missing', found: [] };
			if (state === NAME.asking) return age(entry.asked) < ASK_MS ? { state: 'asking', found: [] } : UNKNOWN;
		}
		if (this.#known.size >= MAX_NAMES) this.#known.clear();
		const buffer = new SharedArrayBuffer(NAME_BYTES);
		this.#known.set(name, { buffer, asked: performance.now() });
		this.#ask(name, buffer);
		return { state: 'asking', found: [] };
	}
}

/**
 * For a program whose imports are bound: lets its fake DNS ask whether names exist.
 * Returns what undoes it.
 * @param {import('../sockfs/program/program.js').Program} program
 * @param {Connector} connector
 * @returns {() => void}
 */
export function watchNames(program, connector) {
	const { DNS } = program;
	const before = DNS?.lookup_name;
	if (typeof before !== 'function') return () => undefined;
	const watched = (/** @type {string} */ name) => {
		if (name === NONE) return name;
		program.missing = isMissing(name, connector) ? name : null;
		return program.missing === null ? before.call(DNS, name) : NONE;
	};
	DNS.lookup_name = watched;
	return () => {
		if (DNS.lookup_name === watched) DNS.lookup_name = before;
	};
}

/**
 * Waits for the answer.
 * @param {string} text
 * @param {Connector} connector
 */
function isMissing(text, connector) {
	const judged = judgeHost(text);
	if (judged.kind !== 'name') return judged.kind === 'none';
	if (judged.name.includes(':') || !connector.lookup) return false;
	for (;;) {
		const { state } = connector.lookup(judged.name);
		if (state !== 'asking') return state === 'missing';
		connector.wait(lookAgainAt() - performance.now());
	}
}
