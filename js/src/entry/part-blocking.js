// Entry of sockmux-blocking.js: the page's half of the sockets of workers that may block.

import part from './part/blocking.js';
import { handOver } from './parts.js';

handOver(part);
