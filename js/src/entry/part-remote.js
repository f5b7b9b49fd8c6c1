// Entry of sockmux-remote.js: the page's half of a tunnel in a worker.

import { startRemote } from '../engine/remote.js';
import { handOver } from './parts.js';

handOver(startRemote);
