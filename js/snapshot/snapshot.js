// Makes a snapshot of a Go program: the same program, initialized. src/engine/restore.js is the
// page's half.

import { Go } from '../build/go.js';
import { clock, valuesOf } from '../src/engine/restore.js';
import { DATA, EXPORT, GLOBAL, IS_GLOBAL, MEMORY, parse, readExports, readGlobals, section, write, writeData, writeExports, writeGlobals, writeMemory } from './module.js';

/** Bytes of a page of memory. */
const PAGE = 1 << 16;

/**
 * The linker places nothing below; wasm_exec.js puts arguments there, which no goroutine
 * reads twice.
 */
const FIRST_ADDRESS = 4096;

/** Bytes that Go's runtime draws at its start. restore() has them drawn anew. */
const SEED = 32;

/**
 * Returns the initialized program. Throws an error that says why there is none.
 * @param {Buffer} file
 */
export async function snapshot(file) {
	const sections = parse(file);
	const exported = readExports(section(sections, EXPORT));
	const globals = readGlobals(section(sections, GLOBAL));
	const names = globals.map((_, index) => `global ${index}`);
	const open = write(sections, new Map([[EXPORT, writeExports([...exported, ...names.map((name, index) => ({ name, kind: IS_GLOBAL, index }))])]]));
	const exports = await initialized(open);
	const memory = new Uint8Array(exports.mem.buffer);
	return write(sections, new Map([
		[MEMORY, writeMemory(memory.length / PAGE)],
		[GLOBAL, writeGlobals(globals.map((global, index) => ({ ...global, value: BigInt(exports[names[index]].value) })))],
		[EXPORT, writeExports(exported.filter(({ name }) => name !== 'run'))],
		[DATA, writeData(FIRST_ADDRESS, memory.subarray(FIRST_ADDRESS))],
	]));
}

/**
 * Runs a program until all of its goroutines wait, and returns its exports. All that it
 * gets from its surroundings is the same each time, and what a copy could not have again
 * is refused.
 * @param {Buffer} file
 */
async function initialized(file) {
	const go = /** @type {any} */ (new Go());
	let seeds = 0;
	const host = {
		'runtime.nanotime1': clock(go, () => 0),
		'runtime.resetMemoryDataView': go.importObject.gojs['runtime.resetMemoryDataView'],
		'runtime.getRandomData': (/** @type {number} */ sp) => {
			const [at, length] = [8, 16].map((offset) => Number(go.mem.getBigInt64(sp + offset, true)));
			if (++seeds > 1 || length !== SEED) throw new Error('the program draws random bytes beside the runtime\'s seed');
			new Uint8Array(go.mem.buffer, at, length).forEach((_, index, seed) => {
				seed[index] = index + 1;
			});
		},
		'syscall/js.valueGet': go.importObject.gojs['syscall/js.valueGet'],
	};
	const module = await WebAssembly.compile(/** @type {Uint8Array<ArrayBuffer>} */ (file));
	/** @type {WebAssembly.Imports} */
	const imports = {};
	for (const { module: from, name } of WebAssembly.Module.imports(module)) {
		imports[from] ??= {};
		imports[from][name] = host[/** @type {keyof typeof host} */ (name)] ?? (() => {
			throw new Error(`the program calls ${name} before it waits`);
		});
	}
	const instance = await WebAssembly.instantiate(module, imports);
	const exports = /** @type {any} */ (instance.exports);
	if (!exports.reseed) throw new Error('the program cannot draw its random numbers anew: it is built without tools/leango');
	const run = go.run(instance); // it throws at once or never
	await Promise.race([run, new Promise((resolve) => { setImmediate(resolve); })]);
	const values = valuesOf(go, Go.scope);
	if (go._values.length !== values.length || !values.every((value, id) => Object.is(value, go._values[id]))) {
		throw new Error('the program refers to other JavaScript values than src/engine/restore.js');
	}
	return exports;
}
