// Entry of the npm package in Node: a client. It replaces nothing, because no program
// there makes its sockets with WebSocket.

import { checkNames, ConfigError, readConfig } from '../api/config.js';
import { Sockmux } from '../api/sockmux.js';
import { beside, probe, schedule, socketOf, wasmOf } from '../engine/node.js';
import { startEngine } from '../engine/engine.js';
import { programFrom } from '../engine/program.js';
import { serve } from '../http/host.js';
import { startHere } from '../http/start.js';
import { Go } from '../../build/go.js';
import { FILES, VERSION } from './build.js';
import direct from './part/direct.js';
import { httpOf } from './part/http.js';

export { ConfigError } from '../api/config.js';
export { SocketError } from '../api/errors.js';

/** How long the connection outlives the last socket. Node ends when it has ended. */
const IDLE_MS = 1000;

const SILENT = { error() {}, warn() {}, info() {} };

/**
 * Ends the connection some time after the last socket.
 * @type {import('../api/sockmux.js').InstallLayer}
 */
function restLater({ tunnel }) {
	/** @type {NodeJS.Timeout | undefined} */
	let timer;
	tunnel.on('idle', () => {
		clearTimeout(timer);
		timer = setTimeout(() => tunnel.rest(), IDLE_MS).unref();
	});
	return { remove: () => clearTimeout(timer) };
}

/** The settings that there are in Node. */
const NAMES = ['url', 'token', 'optimistic', 'timeout', 'load', 'wasm', 'WebSocket', 'log'];

const LOAD_ADVICE = 'This process has no sockets. The setting wasm is the path or the URL of sockmux.wasm; without it the file of the package is read, which a bundle must have beside it.';

const NO_WEBSOCKET = 'this place has no WebSocket: give one, such as import WebSocket from "ws"; install({ url, WebSocket }). Node has one from version 22';

/**
 * Makes a client with a connection of its own.
 * @type {typeof import('../../types/sockmux.d.ts').install}
 */
export const install = (options = {}) => {
	checkNames(options, NAMES);
	const { url, optimistic, timeout, token, load = 'lazy', wasm = new URL('./assets/sockmux.wasm', import.meta.url), log = SILENT } = options;
	const Given = /** @type {typeof WebSocket | undefined} */ (options.WebSocket ?? globalThis.WebSocket);
	if (typeof Given !== 'function') throw new ConfigError(NO_WEBSOCKET);
	if (!globalThis.WebAssembly) throw new ConfigError('this place has no WebAssembly: Node has none with --jitless');
	const settings = readConfig({ url, optimistic, timeout, token, load }, { script: null, pinned: false, page: 'about:blank', origin: '', built: FILES });
	const Native = socketOf(Given);
	const module = wasmOf(wasm);
	const https = wasmOf(options.wasm === undefined ? new URL('./assets/sockmux-https.wasm', import.meta.url) : beside(options.wasm, 'sockmux-https.wasm'));
	const http = httpOf(() => startHere(https, (port) => serve({ port, Go }), schedule), IDLE_MS);
	return new Sockmux({
		scope: { WebSocket: Native, fetch: globalThis.fetch, origin: 'null' },
		config: { ...settings, part: async (name) => (name === 'http' ? http : direct) },
		version: VERSION,
		schedule,
		log,
		loadAdvice: LOAD_ADVICE,
		layers: [restLater],
		start: (owner) => startEngine({ start: programFrom(module(), Go), Native, probe }, owner),
	});
};
