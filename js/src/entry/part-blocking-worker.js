// Entry of sockmux-blocking-worker.js: what runs in the workers of an isolated page before their
// own scripts. The build makes one classic script of it, which a module can import too.

import { enter } from '../blocking/worker.js';
import { recognizeWebR } from '../webr/install.js';
import { ownUrl } from './own-url.js';

enter(globalThis, {
	prelude: ownUrl() ?? '',
	// A webR that a worker starts has that worker's WebSockets.
	leave: recognizeWebR({ on: false, serve() {}, prelude: '', say() {} }),
});
