// A nested worker whose program is instantiated while the worker's script runs first.
/* global importScripts */

self.Module = {
	arguments: self.location.search.slice(1).split('&'),
	locateFile: (file) => `../fixtures/emscripten/entry/${file}`,
	print: (line) => postMessage(line),
};
importScripts('../fixtures/emscripten/entry/entry-sync.js');
