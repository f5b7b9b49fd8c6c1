/**
 * Resets a TCP connection. One whose own end is on its way is only destroyed: a process of
 * Node 20 that has reset such a connection never ends.
 * @param {import('node:stream').Duplex} socket  of node:net
 */
export function reset(socket) {
	if (socket.writableEnded && !socket.writableFinished) socket.destroy();
	else /** @type {import('node:net').Socket} */ (socket).resetAndDestroy();
}
