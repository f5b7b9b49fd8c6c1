// Entry of sockmux-webr.js: the page's half of the sockets of webR's workers.

import part from './part/webr.js';
import { handOver } from './parts.js';

handOver(part);
