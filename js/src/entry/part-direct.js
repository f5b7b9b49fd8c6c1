// Entry of sockmux-direct.js: UDPSocket, TCPServerSocket and listen().

import part from './part/direct.js';
import { handOver } from './parts.js';

handOver(part);
