// Where the Go program runs: beside the page's scripts or in a worker.

import { compileWasm, native } from '../engine/wasm.js';
import { fetchPart, once } from './parts.js';

/** @typedef {import('../api/config.js').Config} Config */
/** @typedef {import('../engine/engine.js').StartEngine} StartEngine */

/**
 * Must be called before the page's WebSocket and Worker are replaced: the tunnel goes by
 * the browser's own.
 * @param {any} scope
 * @param {Config} config
 * @returns {StartEngine}
 */
export function engineFor(scope, config) {
	const wasm = once(() => compileWasm(config.files.wasm));
	const { WebSocket: Native, Worker: NativeWorker } = scope;
	if (!config.worker) {
		return async (owner) => {
			const module = wasm();
			module.catch(() => {}); // the engine reports it
			/** @type {import('./part/engine.js').EngineOf} */
			const engineOf = await config.part('engine');
			return engineOf(module, Native, native)(owner);
		};
	}
	return async (owner) => {
		/** @type {[WebAssembly.Module, string, typeof import('../engine/remote.js').startRemote]} */
		const [module, text, startRemote] = await Promise.all([wasm(), fetchPart(config.files.tunnel), config.part('remote')]);
		// Workers must come from the page's own origin, and a blob does.
		const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
		try {
			return await startRemote({ worker: new NativeWorker(url, { name: 'sockmux' }), module }, owner);
		} finally {
			URL.revokeObjectURL(url);
		}
	};
}
