// The contract between the layer and what carries its sockets. Two things implement it:
// local.js (streams of the tunnel in the same thread) and blocking/ring.js (shared memory
// that the page fills).

/**
 * @typedef {object} Target
 * @property {number} [kind]  of the stream (wire/generated/kind.js); absent: tcp
 * @property {string} host  as the program gave it: a name, or an address without brackets
 * @property {number} port
 * @property {4 | 6} [family]  of a listener: takes no addresses of the other one
 * @property {number} [timeoutMs]  absent or 0: as long as the server takes
 * @property {SocketOptions} [socketOptions]  for the server's socket, from its first moment on
 * @property {string} [name]  what figures and errors call it; absent: host and port
 */

/**
 * What the server sets on its TCP socket. Times are seconds.
 * @typedef {{ noDelay?: boolean, keepAlive?: boolean, keepIdle?: number, keepInterval?: number, keepCount?: number }} SocketOptions
 */

/** @typedef {{ addr: string, port: number }} Address */

/**
 * One TCP connection. Everything but wait() of the connector returns at once.
 * @typedef {object} Socket
 * @property {'connecting' | 'open' | 'closed'} state  closed: for both directions, cleanly or not; what had arrived can still be read
 * @property {number} error  errno that has not been reported yet, 0 if there is none or as long as there is something to read
 * @property {() => void} clearError  the error has been reported
 * @property {string} errorText
 * @property {number} available  bytes that recv gives now
 * @property {boolean} ended  no more will come; what is available can still be read
 * @property {boolean} eof  ended, and available is 0
 * @property {number} room  bytes that send takes now
 * @property {number} [unsent]  bytes that were taken and have not left
 * @property {boolean} writable  there is enough room for poll() to say so: see isWritable
 * @property {(max: number) => Uint8Array | null} recv  bytes, valid until the next call of any socket; null where available is 0
 * @property {(max: number) => Uint8Array | null} peek  the same, and they stay
 * @property {(bytes: Uint8Array, all?: boolean) => number} send  copies; the number of bytes taken. all: take them even beyond room, where that is possible
 * @property {(how: 0 | 1 | 2) => void} shutdown
 * @property {() => void} close  what was sent is still delivered
 * @property {() => void} [reset]  what was sent is dropped, and the peer sees a reset
 * @property {(options: SocketOptions) => void} [setOptions]  changes the options of an open connection
 * @property {Address | null} local
 * @property {Address | null} remote
 */

/**
 * As SOCKFS names them. close: the peer's end, or the end of all. room: writable has become true.
 * end: the end of all, after the peer's.
 * @typedef {'open' | 'message' | 'close' | 'error' | 'room' | 'end'} SocketEvent
 */

/**
 * @typedef {object} Connector
 * @property {(target: Target, onevent?: (event: SocketEvent) => void) => Socket} connect  never throws for the target; onevent is called in tasks of
 *   their own, and only by a connector whose thread has tasks
 * @property {boolean} canWait  whether wait() may be called
 * @property {boolean} alive  false: the carrier of the sockets has gone, so new ones are left to SOCKFS's own means
 * @property {(milliseconds: number) => boolean} wait  blocks until any socket may have changed, at most so long; may return early
 * @property {(listener: () => void) => () => void} [onchange]  calls the listener after each change of any
 *   socket (open, data, FIN, writable, error, shutdown, close) until the function that it returns is called;
 *   a thread that may block calls it while it runs its tasks
 * @property {boolean} [peers]  whether a connection has a peer of SOCKFS's, which fires its events; default: where the thread cannot wait
 * @property {() => void} [tellEvents]  tells at once what has changed, for a thread that runs no tasks meanwhile
 * @property {() => boolean} [interrupted]  whether a signal has come for the program, which ends its wait with EINTR
 * @property {() => number} [takeSignal]  that signal's number; the program does not get it any more
 * @property {(target: { kind?: number, host: string, port: number }, handlers: import('../tunnel/datagrams.js').Handlers) => import('../tunnel/datagrams.js').Datagrams} [datagrams]
 *   opens a socket for datagrams, one that is not connected without a host; absent: UDP is left to SOCKFS's own means
 * @property {boolean} [binds]  whether programs may bind ports at the server; may wait for the page where canWait. Default: bind() of a TCP socket stays with
 *   the program, and that of a port for datagrams fails with EACCES
 * @property {(name: string) => import('./names/lookup.js').Lookup} [lookup]  the addresses of a name, or the names below in-addr.arpa or ip6.arpa
 * @property {(text: string) => void} [report]  tells the user, one line
 */

/**
 * The share of a full send buffer that must be free before poll() says POLLOUT. Linux's TCP has the
 * same rule: a program that poll() wakes can write more than a few bytes.
 */
const WRITABLE_SHARE = 3;

/**
 * Reports whether a send buffer has enough room for poll() to say POLLOUT.
 * @param {number} room  free bytes
 * @param {number} limit  bytes of the whole buffer
 */
export function isWritable(room, limit) {
	return room * WRITABLE_SHARE >= limit;
}
