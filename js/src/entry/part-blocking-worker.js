// Entry of sockmux-blocking-worker.js: what runs in the workers of an isolated page before their
// own scripts. The build makes one classic script of it, which a module can import too.

import { enter } from '../blocking/worker.js';

enter(globalThis);
