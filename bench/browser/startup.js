// How long it takes from the script tag to the first open stream, for a native WebSocket until it
// is open, and for an empty Go program until it runs.

const query = new URL(location.href).searchParams;
const tag = performance.getEntriesByName('tag')[0].startTime;
const since = () => performance.now() - tag;

/** Resolves when the socket is open. @param {WebSocket} ws */
const opening = (ws) => new Promise((resolve, reject) => {
	ws.onopen = resolve;
	ws.onclose = ({ code, reason }) => reject(new Error(`closed: ${code} ${reason}`));
});

if (query.has('relay')) {
	await opening(new WebSocket(`ws://${query.get('relay')}/relay/${query.get('port')}`, 'binary'));
	window.result = { opened: since() };
} else if (query.has('script')) {
	// The first state after `loading` begins when the Go program waits for the first
	// time, as the empty one's; its event comes when the first dial is on its way.
	const ready = new Promise((resolve) => {
		const look = (status) => status.state === 'idle' && resolve(status.since - performance.timeOrigin - tag);
		look(window.sockmux.status);
		window.sockmux.on('state', look);
	});
	await opening(new WebSocket(`ws://127.0.0.1:${query.get('port')}/`, 'binary'));
	const opened = since();
	window.result = { opened, ready: await ready };
} else {
	// As the script's own start: a classic script, then streaming compilation.
	const script = document.createElement('script');
	script.src = '/empty/wasm_exec.js';
	await new Promise((resolve) => {
		script.onload = resolve;
		document.head.append(script);
	});
	const go = new window.Go();
	const { instance } = await WebAssembly.instantiateStreaming(fetch('/empty/empty.wasm'), go.importObject);
	void go.run(instance); // returns at its first wait
	window.result = { ready: since() };
}
