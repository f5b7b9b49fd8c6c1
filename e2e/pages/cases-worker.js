// Runs a C program in a classic worker: see cases.js. What it prints goes to the page.
/* global importScripts */

const query = new URLSearchParams(self.location.search);
const get = (name) => query.get(name) ?? '';
const print = (line) => postMessage(`| ${line}`);

if (get('relay')) {
	// As in cases.js.
	self.WebSocket = class extends WebSocket {
		constructor(url, protocols) {
			super(`${get('relay')}/${new URL(url.replace(/^ws/, 'http')).host}`, protocols);
		}
	};
}

const options = {
	arguments: [get('case'), get('base')],
	print,
	printErr: (line) => postMessage(`? ${line}`),
	onAbort: (what) => postMessage(`! abort ${what}`),
	onExit: (status) => postMessage(`! exit ${status}`),
};
options.locateFile = (file) => `fixtures/emscripten/built/${file}`;
self.Module = options;
importScripts(`fixtures/emscripten/built/${get('build')}.js`);
