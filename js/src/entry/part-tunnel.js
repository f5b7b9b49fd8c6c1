// Entry of sockmux-tunnel-worker.js: the Go program in a dedicated worker of the page.

import { Go } from '../../build/go.js';
import { serve } from '../engine/host.js';
import { taskQueue } from '../engine/tasks.js';

const scope = /** @type {any} */ (globalThis);

serve({ port: scope, Native: WebSocket, Go, schedule: taskQueue(), close: () => scope.close() });
