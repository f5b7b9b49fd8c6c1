// Runs a C program in a classic worker: ?base=PATH&args=JSON. What it prints goes to the page.
/* global importScripts */

const query = new URLSearchParams(self.location.search);
const base = query.get('base') ?? '';
self.Module = {
	arguments: JSON.parse(query.get('args') ?? '[]'),
	print: (line) => postMessage(line),
	printErr: (line) => postMessage(line),
	locateFile: (file) => base.replace(/[^/]*$/, file),
};
importScripts(`${base}.js`);
