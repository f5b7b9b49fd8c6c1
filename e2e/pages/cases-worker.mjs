// Runs a C program in a module worker: see cases.js. What it prints goes to the page.

const query = new URLSearchParams(self.location.search);
const get = (name) => query.get(name) ?? '';

if (get('relay')) {
	// As in cases.js.
	self.WebSocket = class extends WebSocket {
		constructor(url, protocols) {
			super(`${get('relay')}/${new URL(url.replace(/^ws/, 'http')).host}`, protocols);
		}
	};
}

const { default: create } = await import(`./fixtures/emscripten/built/${get('build')}.mjs`);
await create({
	arguments: [get('case'), get('base')],
	print: (line) => postMessage(`| ${line}`),
	printErr: (line) => postMessage(`? ${line}`),
	onAbort: (what) => postMessage(`! abort ${what}`),
	onExit: (status) => postMessage(`! exit ${status}`),
});
