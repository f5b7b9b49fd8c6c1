// The builds of the C programs in fixtures/emscripten: see cases.mk for the commands.

/**
 * @typedef {object} Build
 * @property {string} name
 * @property {'cases' | 'loop'} program  "cases" waits; "loop" is a main loop that never does
 * @property {'classic' | 'modularize' | 'es6' | 'worker' | 'worker-es6' | 'nested' | 'nested-es6'} kind  worker: in a dedicated
 *   worker of the page, a classic or a module; nested: in one that a worker has started
 * @property {string} title  for the matrix in docs/EMSCRIPTEN.md
 */

/** @type {[name: string, title: string][]} */
const TITLES = [
	['cases-asyncify-6', '6.x, ASYNCIFY'],
	['cases-jspi-6', '6.x, JSPI'],
	['cases-jspi-modularize-6', '6.x, JSPI, MODULARIZE'],
	['cases-jspi-es6-6', '6.x, JSPI, EXPORT_ES6'],
	['cases-pthread-6', '6.x, PROXY_TO_PTHREAD'],
	['cases-pthread-modularize-6', '6.x, PROXY_TO_PTHREAD, MODULARIZE'],
	['cases-pthread-es6-6', '6.x, PROXY_TO_PTHREAD, EXPORT_ES6'],
	['cases-asyncify-library-6', '6.x, ASYNCIFY, the library'],
	['cases-asyncify-3', '3.1.6, ASYNCIFY'],
	['cases-pthread-3', '3.1.6, PROXY_TO_PTHREAD'],
	['cases-worker-6', '6.x, in a worker'],
	['cases-worker-3', '3.1.6, in a worker, the library'],
	['loop-6', '6.x'],
	['loop-modularize-6', '6.x, MODULARIZE'],
	['loop-es6-6', '6.x, EXPORT_ES6'],
	['loop-closure-6', '6.x, closure compiler'],
	['loop-sync-6', '6.x, WASM_ASYNC_COMPILATION=0, SINGLE_FILE'],
	['loop-pthread-6', '6.x, pthreads, main in the page'],
	['loop-3', '3.1.6'],
	['loop-modularize-3', '3.1.6, MODULARIZE'],
	['loop-library-3', '3.1.6, the library'],
];

/** @param {string} name @returns {Build['kind']} */
function kindOf(name) {
	if (name.includes('worker')) return 'worker';
	if (name.includes('modularize')) return 'modularize';
	return name.includes('es6') ? 'es6' : 'classic';
}

/** @type {Build[]} */
export const BUILDS = TITLES.map(([name, title]) => ({
	name,
	program: name.startsWith('loop') ? 'loop' : 'cases',
	kind: kindOf(name),
	title,
}));

/** Programs without ASYNCIFY, JSPI and threads that block in a dedicated worker. @type {Build[]} */
export const WORKER_BUILDS = [
	...BUILDS.filter(({ kind }) => kind === 'worker'),
	{ name: 'cases-worker-es6-3', program: 'cases', kind: 'worker-es6', title: '3.1.6, in a module worker' },
];

/** The same in workers that a worker has started. @type {Build[]} */
export const NESTED_BUILDS = [
	{ name: 'cases-worker-3', program: 'cases', kind: 'nested', title: '3.1.6, in a nested worker' },
	{ name: 'cases-worker-es6-3', program: 'cases', kind: 'nested-es6', title: '3.1.6, in a nested module worker' },
];

/** Programs with threads whose own main thread is a dedicated worker. @type {Build[]} */
export const THREADED_BUILDS = [
	{ name: 'cases-pthread-6', program: 'cases', kind: 'worker', title: '6.x, PROXY_TO_PTHREAD, in a worker' },
	{ name: 'cases-pthread-es6-6', program: 'cases', kind: 'worker-es6', title: '6.x, PROXY_TO_PTHREAD, in a module worker' },
	{ name: 'cases-pthread-6', program: 'cases', kind: 'nested', title: '6.x, PROXY_TO_PTHREAD, in a nested worker' },
	{ name: 'cases-pthread-3', program: 'cases', kind: 'worker', title: '3.1.6, PROXY_TO_PTHREAD, in a worker' },
];
