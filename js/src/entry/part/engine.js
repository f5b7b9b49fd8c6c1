// The Go program's surroundings in this thread.

import { Go } from '../../../build/go.js';
import { startEngine } from '../../engine/engine.js';
import { programFrom } from '../../engine/program.js';

/** @typedef {(module: Promise<WebAssembly.Module>, Native: typeof WebSocket, native: Pick<typeof WebAssembly, 'instantiate'>) => import('../../engine/engine.js').StartEngine} EngineOf */

/** @type {EngineOf} */
export default (module, Native, native) => (owner) => startEngine({ start: programFrom(module, Go, native), Native }, owner);
