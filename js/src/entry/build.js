// What the build knows. Outside of a build (unit tests) there are stand-ins.

/* global SOCKMUX_VERSION, SOCKMUX_FILES, SOCKMUX_HTTPS_FILES -- set by esbuild, see js.mk */

/**
 * A file of the build.
 * @typedef {object} BuiltFile
 * @property {string} name  in the folder assets/; holds the file's hash
 * @property {string} [integrity]  SRI string
 */

/**
 * - wasm: the Go program;
 * - engine: what runs it in the page, with Go's glue;
 * - tunnel: the same for a worker;
 * - remote: the page's half of that;
 * - websockets: the messages of WebSockets that are carried as such;
 * - sockfs: the layer under Emscripten programs in the page;
 * - http: fetch(), and TLS for connect();
 * - direct: UDPSocket, TCPServerSocket and listen();
 * - pthread: run by the worker of a pthread before the program's own script;
 * - blocking: the page's half of the sockets of workers that may block;
 * - webrWorker: the other half, run by webR's worker before its own script;
 * - blockingWorker: the same for any other worker.
 * @typedef {Record<'wasm' | 'engine' | 'tunnel' | 'remote' | 'websockets' | 'sockfs' | 'direct' | 'http' | 'pthread' | 'blocking' | 'webrWorker' | 'blockingWorker', BuiltFile> & Partial<HttpsFiles>} BuiltFiles
 */

/**
 * Files of the part http, which has their names itself. The npm package has their URLs.
 * - https: the Go program;
 * - httpsWorker: what runs it in a worker.
 * @typedef {Record<'https' | 'httpsWorker', BuiltFile>} HttpsFiles
 */

export const VERSION = typeof SOCKMUX_VERSION === 'string' ? SOCKMUX_VERSION : 'dev';

/** @type {BuiltFiles} */
export const FILES = typeof SOCKMUX_FILES === 'object' ? SOCKMUX_FILES : {
	wasm: { name: 'sockmux.wasm' },
	engine: { name: 'sockmux-engine.js' },
	tunnel: { name: 'sockmux-tunnel-worker.js' },
	websockets: { name: 'sockmux-websockets.js' },
	sockfs: { name: 'sockmux-sockfs.js' },
	direct: { name: 'sockmux-direct.js' },
	http: { name: 'sockmux-http.js' },
	pthread: { name: 'sockmux-pthread.js' },
	remote: { name: 'sockmux-remote.js' },
	blocking: { name: 'sockmux-blocking.js' },
	webrWorker: { name: 'sockmux-webr-worker.js' },
	blockingWorker: { name: 'sockmux-blocking-worker.js' },
};

/** @type {HttpsFiles} */
export const HTTPS_FILES = typeof SOCKMUX_HTTPS_FILES === 'object' ? SOCKMUX_HTTPS_FILES : {
	https: { name: 'sockmux-https.wasm' },
	httpsWorker: { name: 'sockmux-https-worker.js' },
};
