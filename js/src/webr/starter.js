// Starts a worker from a script with ours in front, and falls back to its own where the page's policy does not let that script run.

/**
 * Gives a worker at once. Whether the script may run is known only later: it says so itself, or an error event does.
 * If it may not, the worker goes on as a stand-in for one that was started from the other URL. Messages wait until it is known.
 * @param {object} options
 * @param {any} options.scope  the page's global object
 * @param {typeof Worker} options.Native
 * @param {(string | Blob)[]} options.script  parts of the script to try. It may post
 *   { sockmux: { op: 'stopped', text } } if the program would fare worse in it; then it runs no further
 * @param {any} options.fallback  URL of the script to start if it does not run, as the page gave it
 * @param {WorkerOptions | undefined} options.options  for both
 * @param {(why: string | null) => unknown} options.onknown  called once: null if the script runs, and what it returns
 *   then is the first message; otherwise the script's own text, or '' if it said nothing
 * @returns {Worker}
 */
export function startWorker({ scope, Native, script, fallback, options, onknown }) {
	const url = scope.URL.createObjectURL(new Blob([...script, '\n;postMessage({sockmux:{op:"started"}})'], { type: 'text/javascript' }));
	const decided = (/** @type {string | null} */ why) => {
		scope.URL.revokeObjectURL(url);
		return onknown(why);
	};
	/** @type {Worker} */
	let worker;
	try {
		worker = new Native(url, options);
	} catch {
		decided('');
		return new Native(fallback, options);
	}
	// The one that runs. Others may put their own terminate() in front of this one, so it stays for good.
	let running = worker;
	const { terminate } = worker;
	worker.terminate = () => Reflect.apply(terminate, running, []);
	/** @type {[any, any?][]} */
	const held = [];
	const post = worker.postMessage;
	const known = () => {
		worker.removeEventListener('message', onmessage);
		worker.removeEventListener('error', onerror);
	};
	const fall = (/** @type {Event} */ event, /** @type {string} */ why) => {
		event.stopImmediatePropagation();
		event.preventDefault();
		known();
		Reflect.apply(terminate, worker, []);
		running = new Native(fallback, options);
		standIn(worker, running);
		for (const args of held.splice(0)) running.postMessage(...args);
		decided(why);
	};
	const onmessage = (/** @type {MessageEvent} */ event) => {
		const { op, text } = event.data?.sockmux ?? {};
		if (op === 'stopped') return fall(event, text);
		if (op !== 'started') return undefined;
		event.stopImmediatePropagation();
		known();
		Reflect.deleteProperty(worker, 'postMessage');
		const first = decided(null);
		if (first) worker.postMessage(first);
		for (const args of held.splice(0)) Reflect.apply(post, worker, args);
		return undefined;
	};
	const onerror = (/** @type {Event} */ event) => fall(event, '');
	worker.addEventListener('message', onmessage);
	worker.addEventListener('error', onerror);
	worker.postMessage = (/** @type {[any, any?]} */ ...args) => void held.push(args);
	return worker;
}

/**
 * Makes a worker that does not run pass everything on to another one and repeat its events.
 * @param {Worker} worker
 * @param {Worker} other
 */
export function standIn(worker, other) {
	worker.postMessage = (/** @type {[any, any?]} */ ...args) => other.postMessage(...args);
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
