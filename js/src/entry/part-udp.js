// Entry of sockmux-udp.js: the sockets of UDPSocket.

import part from './part/udp.js';
import { handOver } from './parts.js';

handOver(part);
