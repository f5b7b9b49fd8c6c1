// Entry of sockmux-engine.js: the Go program's surroundings in the page.

import part from './part/engine.js';
import { handOver } from './parts.js';

handOver(part);
