// Asks the server for the addresses of names and the names of addresses, and remembers the answers
// for a short time.

/** @typedef {(name: string) => Promise<{ addresses: string[], names: string[] }>} Resolve  rejects with a `name` like those of Ending */

/** How long an answer is remembered. A name that has just been made should soon be found. */
export const FOUND_MS = 60_000;
export const MISSING_MS = 5_000;
/** A server that does not answer leaves the name to connect(), which says more. */
export const ASK_MS = 10_000;
/** Names that are remembered; a program that asks for more has them asked for again. */
export const MAX_NAMES = 1000;

/**
 * found: it exists, or it is not known whether it does; missing: it does not; asking: a
 * change will be told.
 * @typedef {'found' | 'missing' | 'asking'} LookupState
 */

/**
 * An answer. found: the addresses of a name, or the names of an address, as far as the server tells them.
 * @typedef {{ state: LookupState, found: readonly string[] }} Lookup
 */

/** @type {readonly string[]} */
const NONE = Object.freeze([]);
/** @type {Readonly<Lookup>} */
export const UNKNOWN = Object.freeze({ state: 'found', found: NONE });

/** What the tunnel says of a name that does not exist. */
export const NOT_FOUND = 'name_not_found';

/**
 * @param {Resolve} resolve
 * @param {() => void} changed  called when an answer has come
 * @returns {(name: string) => Lookup}
 */
export function createLookup(resolve, changed) {
	/** @type {Map<string, { answer: Lookup, until: number }>} */
	const known = new Map();
	return (name) => {
		const now = performance.now();
		const entry = known.get(name);
		if (entry && now < entry.until) return entry.answer;
		if (entry?.answer.state === 'asking') return UNKNOWN;
		if (known.size >= MAX_NAMES) known.clear();
		/** @type {Lookup} */
		const asking = { state: 'asking', found: NONE };
		known.set(name, { answer: asking, until: now + ASK_MS });
		/** @param {Lookup} answer @param {number} milliseconds */
		const settle = (answer, milliseconds) => {
			known.set(name, { answer, until: performance.now() + milliseconds });
			changed();
		};
		resolve(name).then(
			({ addresses, names }) => settle({ state: 'found', found: [...addresses, ...names] }, FOUND_MS),
			(error) => settle(error?.name === NOT_FOUND ? { state: 'missing', found: NONE } : UNKNOWN, MISSING_MS),
		);
		return asking;
	};
}

/** When a caller that waits for an answer should look again at the latest. */
export const lookAgainAt = () => performance.now() + ASK_MS;
