// What a C program of the cases gets, in the page or in a worker: ?build=NAME&kind=KIND&case=NAME&base=PORT,
// and with relay=URL it dials websockify.

/**
 * @param {string} search  the query
 * @param {(line: string) => void} say  takes each line that is for the test
 */
self.caseProgram = (search, say) => {
	const query = new URLSearchParams(search);
	const get = (/** @type {string} */ name) => query.get(name) ?? '';
	const relay = get('relay');
	if (relay) {
		// Plain SOCKFS dials ws://HOST:PORT/ itself; websockify has a token for each port.
		const Plain = self.WebSocket;
		self.WebSocket = class extends Plain {
			constructor(/** @type {string} */ url, /** @type {string[]} */ protocols) {
				super(`${relay}/?token=${new URL(url.replace(/^ws/, 'http')).port}`, protocols);
			}
		};
	}
	return {
		get,
		address: `fixtures/emscripten/built/${get('build')}`,
		options: {
			arguments: [get('case'), get('base')],
			print: (/** @type {unknown} */ line) => say(`| ${line}`),
			printErr: (/** @type {unknown} */ line) => say(`? ${line}`),
			onAbort: (/** @type {unknown} */ what) => say(`! abort ${what}`),
			onExit: (/** @type {unknown} */ status) => say(`! exit ${status}`),
		},
	};
};
