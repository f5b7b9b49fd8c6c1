// For a program that runs already: its system calls are bound to its wasm for good. What
// they call can still be replaced, and a classic script's functions show the arguments of
// the call that is under way.

import { POLL } from '../sockfs/flags.js';
import * as ERRNO from '../wire/generated/errno.js';
import { socketOf } from '../sockfs/sockets/ops.js';
import * as pollfd from '../sockfs/calls/pollfd.js';
import { waitFor } from '../sockfs/calls/syscalls.js';

/** @typedef {import('../sockfs/connector.js').Connector} Connector */
/** @typedef {import('../sockfs/program/program.js').Program} Program */

/**
 * Makes poll() wait and shutdown() work.
 * @param {any} scope  where the program's functions are global
 * @param {Program} program
 * @param {Connector} connector
 */
export function patchBound(scope, { ops, ErrnoError, heap32 }, connector) {
	const poll = scope.___syscall_poll;
	const shutdown = scope.___syscall_shutdown;
	const { FS } = scope;

	const instant = ops.poll;
	if (typeof poll === 'function') {
		/** What poll() would say of one descriptor now. @param {number} at  its struct pollfd */
		const ready = (at) => {
			const heap = heap32();
			const stream = FS.getStream(heap[at >> 2]);
			if (!stream) return POLL.NVAL;
			const events = (heap[(at + 4) >> 2] << 16) >> 16;
			const sock = stream.node?.sock;
			const mask = sock ? instant(sock) : (stream.stream_ops.poll?.(stream, 0) ?? POLL.IN | POLL.OUT);
			return mask & (events | POLL.ERR | POLL.HUP);
		};
		const ours = (/** @type {number} */ at) => {
			const sock = FS.getStream(heap32()[at >> 2])?.node?.sock;
			return sock && socketOf(sock) ? sock : null;
		};
		// poll() asks for each descriptor in turn; the first of ours waits for all of them.
		ops.poll = (/** @type {any} */ sock) => {
			const args = poll.arguments;
			if (args !== null && args[2] !== 0 && socketOf(sock)) {
				const all = Array.from({ length: args[1] }, (_, i) => args[0] + pollfd.BYTES * i);
				if (sock === all.map(ours).find(Boolean)) waitFor(() => (all.some(ready) ? 1 : 0), args[2], connector);
			}
			return instant(sock);
		};
	}

	if (typeof shutdown === 'function' && typeof scope.getSocketFromFD === 'function') {
		const before = scope.getSocketFromFD;
		scope.getSocketFromFD = (/** @type {number} */ fd) => {
			const sock = before(fd);
			const args = shutdown.arguments;
			if (args !== null && args[0] === fd && socketOf(sock)) {
				if (![0, 1, 2].includes(args[1])) throw new ErrnoError(ERRNO.EINVAL);
				ops.shutdown(sock, args[1]);
				// The system call answers ENOSYS whatever happens, unless it is left by
				// an error: the one with number 0 is success.
				throw new ErrnoError(0);
			}
			return sock;
		};
	}
}
