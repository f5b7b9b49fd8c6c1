// The system calls by which a program with sockets is known.

/** A program with sockets has one of them. */
const ENTRIES = ['connect', 'listen', 'bind', 'sendto', 'sendmsg'];

/** Matches the name of one of them in C, and that of the function in Emscripten's library, with an underscore more. */
export const ENTRY = new RegExp(`^___?syscall_(${ENTRIES.join('|')})$`);

/**
 * The call by which a program is known: connect(), or another one where it only serves, or only
 * sends datagrams.
 * @template T
 * @param {Map<string, T>} calls  by their names in C
 * @returns {[name: string, call: T | undefined]}
 */
export function entryOf(calls) {
	const names = ENTRIES.map((entry) => `__syscall_${entry}`);
	const name = names.find((entry) => calls.has(entry)) ?? names[0];
	return [name, calls.get(name)];
}
