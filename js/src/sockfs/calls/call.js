// The system call that a program is in, as far as SOCKFS's operations need to know it.

/**
 * The system call under way in this thread, for one program. What wraps the system calls sets
 * flags and retries before each call and reads wait after it.
 * @typedef {object} Call
 * @property {number} flags  MSG_* of the call, where SOCKFS does not hand them to the operation (0 otherwise)
 * @property {boolean} retries  the caller waits and calls again: blocking sockets may block
 * @property {{ until: number } | null} wait  set by an operation that would block: call again,
 *   with the same arguments, after the next change of any socket, or at `until`
 *   (performance.now(); Infinity: no limit)
 * @property {number} [thread]  which thread of the program calls; absent: the only one
 * @property {Finished} [finished]  what the operations of this call did in this attempt and the
 *   ones before, oldest first; absent: the call makes one operation, or is not repeated
 * @property {number} [begun]  operations that this attempt has begun
 */

/**
 * Results of operations. readv() and writev() make one for each buffer. Those that are done must
 * not be done again where the call is repeated.
 * @typedef {{ result: any, short: boolean }[]} Finished
 */

/**
 * Returns the record of a program whose calls have no flags and are not repeated.
 * @returns {Call}
 */
export function newCall() {
	return { flags: 0, retries: false, wait: null };
}
