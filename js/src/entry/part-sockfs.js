// Entry of sockmux-sockfs.js: the layer under Emscripten programs in the page's own thread.

import part from './part/sockfs.js';
import { handOver } from './parts.js';

handOver(part);
