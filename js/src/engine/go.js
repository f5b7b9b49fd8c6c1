// Entry of build/go.js: Go's wasm_exec.js with goscope.js as its global object.

import '../../build/wasm_exec.js';
import { goScope } from './goscope.js';

/**
 * The class of wasm_exec.js as far as it is used here.
 * @typedef {object} GoProgram
 * @property {WebAssembly.Imports} importObject
 * @property {(code: number) => void} exit  called once, when the program ends
 * @property {(instance: WebAssembly.Instance) => Promise<void>} run  runs until all goroutines wait, then returns
 * @property {() => void} _resume  runs until all goroutines wait again
 * @property {Map<number, ReturnType<typeof setTimeout>>} _scheduledTimeouts
 */

/**
 * The class, and the global object that its programs see.
 * @typedef {{ new (): GoProgram, readonly scope: Record<string, any> }} GoClass
 */

export const Go = /** @type {GoClass} */ (Object.assign(goScope.Go, { scope: goScope }));
