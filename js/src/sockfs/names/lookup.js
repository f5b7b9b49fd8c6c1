// Asks the server whether names exist, and remembers the answers for a short time. A name that the
// server knows is not replaced by its addresses: the policy's rules are about names.

/** @typedef {(name: string) => Promise<unknown>} Resolve  rejects with a `name` like those of Ending */

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

/** What the tunnel says of a name that does not exist. */
export const NOT_FOUND = 'name_not_found';

/**
 * @param {Resolve} resolve
 * @param {() => void} changed  called when an answer has come
 * @returns {(name: string) => LookupState}
 */
export function createLookup(resolve, changed) {
	/** @type {Map<string, { state: LookupState, until: number }>} */
	const known = new Map();
	return (name) => {
		const now = performance.now();
		const entry = known.get(name);
		if (entry && now < entry.until) return entry.state;
		if (entry?.state === 'asking') return 'found';
		if (known.size >= MAX_NAMES) known.clear();
		known.set(name, { state: 'asking', until: now + ASK_MS });
		/** @param {LookupState} state @param {number} milliseconds */
		const settle = (state, milliseconds) => {
			known.set(name, { state, until: performance.now() + milliseconds });
			changed();
		};
		resolve(name).then(
			() => settle('found', FOUND_MS),
			(error) => (error?.name === NOT_FOUND ? settle('missing', MISSING_MS) : settle('found', MISSING_MS)),
		);
		return 'asking';
	};
}

/** When a caller that waits for an answer should look again at the latest. */
export const lookAgainAt = () => performance.now() + ASK_MS;
