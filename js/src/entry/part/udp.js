// The sockets of UDPSocket.

import { udpOf } from '../../api/udp.js';

export default udpOf;
