// The system call by which a program with sockets is known. watch.js looks for the same ones.

/** A program with sockets has one of them. */
const ENTRIES = ['connect', 'listen', 'bind', 'sendto', 'sendmsg'].map((name) => `__syscall_${name}`);

/**
 * The call by which a program is known: connect(), or another one where it only serves, or only
 * sends datagrams.
 * @template T
 * @param {Map<string, T>} calls  by their names in C
 * @returns {[name: string, call: T | undefined]}
 */
export function entryOf(calls) {
	const name = ENTRIES.find((entry) => calls.has(entry)) ?? ENTRIES[0];
	return [name, calls.get(name)];
}
