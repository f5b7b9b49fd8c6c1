// A nested worker: runs fixtures/emscripten/hold.c with the words of a message. ?close: ends itself
// when the connection is there.
/* global importScripts */

onmessage = ({ data }) => {
	self.Module = {
		arguments: data,
		locateFile: (file) => `../fixtures/emscripten/built/${file}`,
		print(line) {
			postMessage(line);
			if (self.location.search === '?close' && line === 'HELD') self.close();
		},
		printErr: (line) => postMessage(`error ${line}`),
	};
	importScripts('../fixtures/emscripten/built/hold-3.js');
};
postMessage('ready');
