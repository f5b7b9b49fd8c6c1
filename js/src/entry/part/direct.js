// What pages call less often: UDPSocket, TCPServerSocket and listen().

import { listenOf, serverOf } from '../../api/listen.js';
import { udpOf } from '../../api/udp.js';

/**
 * What the script has already, and the part must share.
 * @typedef {object} Shared
 * @property {Pick<import('../../tunnel/tunnel.js').Tunnel, 'open'>} tunnel
 * @property {{ timeoutMs?: number }} defaults
 * @property {typeof import('../../api/errors.js').SocketError} SocketError  the class that pages compare with
 * @property {typeof import('../../api/socket.js').Socket} Socket
 * @property {ReturnType<typeof import('../../api/tcpsocket.js').tcpSocketOf>} TCPSocket
 */

export default (/** @type {Shared} */ shared) => ({ udp: udpOf(shared), listen: listenOf(shared), server: serverOf(shared) });
