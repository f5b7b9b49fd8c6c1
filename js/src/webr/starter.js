// Starts webR's worker from a script with ours in front, and falls back to webR's own where the page's policy does not let that script run.

/**
 * Gives a worker at once. Whether the script may run is known only later: it says so itself, or an error event does.
 * If it may not, the worker goes on as a stand-in for one that was started from the other URL. Messages wait until it is known.
 * @param {object} options
 * @param {typeof Worker} options.Native
 * @param {string} options.url  the script to try. It posts { sockmux: { op: 'started' } } at its end, or
 *   { sockmux: { op: 'stopped', text } } if the program would fare worse in it; then it runs no further
 * @param {string} options.fallback  URL of the script to start if it does not run
 * @param {WorkerOptions | undefined} options.options  for both
 * @param {(why: string | null) => void} options.onknown  called once: null if the script runs; otherwise its
 *   own text, or '' if it said nothing
 * @returns {Worker}
 */
export function startWorker({ Native, url, fallback, options, onknown }) {
	/** @type {Worker} */
	let worker;
	try {
		worker = new Native(url, options);
	} catch {
		onknown('');
		return new Native(fallback, options);
	}
	// The one that runs. Others may put their own terminate() in front of this one, so it stays for good.
	let running = worker;
	const { terminate } = worker;
	worker.terminate = () => Reflect.apply(terminate, running, []);
	/** @type {[any, any?][]} */
	const held = [];
	const post = worker.postMessage;
	const known = (/** @type {string | null} */ why) => {
		worker.removeEventListener('message', onmessage);
		worker.removeEventListener('error', onerror);
		onknown(why);
	};
	const fall = (/** @type {Event} */ event, /** @type {string} */ why) => {
		event.stopImmediatePropagation();
		event.preventDefault();
		Reflect.apply(terminate, worker, []);
		running = new Native(fallback, options);
		standIn(worker, running);
		for (const args of held.splice(0)) running.postMessage(...args);
		known(why);
	};
	const onmessage = (/** @type {MessageEvent} */ event) => {
		const { op, text } = event.data?.sockmux ?? {};
		if (op === 'stopped') return fall(event, text);
		if (op !== 'started') return undefined;
		event.stopImmediatePropagation();
		Reflect.deleteProperty(worker, 'postMessage');
		for (const args of held.splice(0)) Reflect.apply(post, worker, args);
		return known(null);
	};
	const onerror = (/** @type {Event} */ event) => fall(event, '');
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
