// Entry of sockmux-https-worker.js: the program of HTTP and TLS in a dedicated worker of the page, or
// where there are no such workers in the thread that loads this.

import { Go } from '../../build/go.js';
import { serve, WORKER_NAME } from '../http/host.js';
import { handOver } from './parts.js';

const scope = /** @type {any} */ (globalThis);

if (scope.name === WORKER_NAME) serve({ port: scope, Go });
else handOver((/** @type {import('../http/host.js').Port} */ port) => serve({ port, Go }));
