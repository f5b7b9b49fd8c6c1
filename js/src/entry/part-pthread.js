// Entry of sockmux-pthread.js: what runs in the workers of a page's pthreads, before the program's own
// script. The build makes one classic script of it, which a module can import too.

import { takeBase } from '../workers/base.js';
import { enterThread } from '../sockfs/threads/enter.js';

enterThread(globalThis, takeBase(globalThis));
