// Entry of sockmux-remote.js: the page's half of a tunnel in a worker.

import part from './part/remote.js';
import { handOver } from './parts.js';

handOver(part);
