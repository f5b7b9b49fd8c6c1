// Starts webR's worker from a script with ours in front, and falls back to webR's own where the page's policy does not let that script run.

/**
 * Gives a worker at once. Whether the script may run is known only later, by an error event without a word from it; then the worker
 * goes on as a stand-in for one that was started from the other URL. Messages wait until it is known.
 * @param {object} options
 * @param {typeof Worker} options.Native
 * @param {string} options.url  the script to try; it must post { sockmux: { op: 'started' } } first of all
 * @param {string} options.fallback  URL of the script to start if it does not run
 * @param {WorkerOptions | undefined} options.options  for both
 * @param {(started: boolean) => void} options.onknown  called once
 * @returns {Worker}
 */
export function startWorker({ Native, url, fallback, options, onknown }) {
	/** @type {Worker} */
	let worker;
	try {
		worker = new Native(url, options);
	} catch {
		onknown(false);
		return new Native(fallback, options);
	}
	// The one that runs. Others may put their own terminate() in front of this one, so it stays for good.
	let running = worker;
	const { terminate } = worker;
	worker.terminate = () => Reflect.apply(terminate, running, []);
	/** @type {[any, any?][]} */
	const held = [];
	const post = worker.postMessage;
	const known = (/** @type {boolean} */ started) => {
		worker.removeEventListener('message', onmessage);
		worker.removeEventListener('error', onerror);
		onknown(started);
	};
	const onmessage = (/** @type {MessageEvent} */ event) => {
		if (event.data?.sockmux?.op !== 'started') return;
		event.stopImmediatePropagation();
		Reflect.deleteProperty(worker, 'postMessage');
		for (const args of held.splice(0)) Reflect.apply(post, worker, args);
		known(true);
	};
	const onerror = (/** @type {Event} */ event) => {
		event.stopImmediatePropagation();
		event.preventDefault();
		running = new Native(fallback, options);
		standIn(worker, running);
		for (const args of held.splice(0)) running.postMessage(...args);
		known(false);
	};
	worker.addEventListener('message', onmessage);
	worker.addEventListener('error', onerror);
	worker.postMessage = (/** @type {[any, any?]} */ ...args) => void held.push(args);
	return worker;
}

/**
 * Makes a worker that never ran pass everything on to another one and repeat its events.
 * @param {Worker} worker
 * @param {Worker} other
 */
function standIn(worker, other) {
	worker.postMessage = other.postMessage.bind(other);
	for (const type of ['message', 'messageerror']) {
		other.addEventListener(type, (event) => {
			const { data, ports } = /** @type {MessageEvent} */ (event);
			worker.dispatchEvent(new MessageEvent(type, { data, ports: [...ports] }));
		});
	}
	other.addEventListener('error', (event) => {
		const { message, filename, lineno, colno, error } = event;
		const repeated = new ErrorEvent('error', { message, filename, lineno, colno, error, cancelable: true });
		if (!worker.dispatchEvent(repeated)) event.preventDefault();
	});
}
