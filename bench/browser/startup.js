// How long it takes from the script tag to the first open stream, and for an empty Go program until it runs.

const query = new URL(location.href).searchParams;
const since = () => performance.now() - performance.getEntriesByName('tag')[0].startTime;

if (query.has('script')) {
	const ready = new Promise((resolve) => {
		if (window.sockmux.status.state !== 'idle' && window.sockmux.status.state !== 'loading') resolve(since());
		window.sockmux.on('state', ({ state }) => state !== 'loading' && resolve(since()));
	});
	const ws = new WebSocket(`ws://127.0.0.1:${query.get('port')}/`, 'binary');
	await new Promise((resolve, reject) => {
		ws.onopen = resolve;
		ws.onclose = ({ reason }) => reject(new Error(`closed: ${reason}`));
	});
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
