// Entry of sockmux-engine.js: the Go program's surroundings in the page.

import { Go } from '../../build/go.js';
import { startEngine } from '../engine/engine.js';
import { programFrom } from '../engine/program.js';
import { handOver } from './parts.js';

/** @typedef {(module: Promise<WebAssembly.Module>, Native: typeof WebSocket, native: Pick<typeof WebAssembly, 'instantiate'>) => import('../engine/engine.js').StartEngine} EngineOf */

/** @type {EngineOf} */
const engineOf = (module, Native, native) => (owner) => startEngine({ start: programFrom(module, Go, native), Native }, owner);

handOver(engineOf);
