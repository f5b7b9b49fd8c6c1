// Starts a worker from a script with ours in front, and falls back to its own where the
// page's policy does not let that script run.

/**
 * Gives a worker at once. Whether the script may run is known only later: it says so
 * itself, or an error event does. If it may not, the worker goes on as a stand-in for one
 * that was started from the other URL. Messages wait until it is known.
 * @param {import('./hook.js').Wanted} wanted  its URL may be revoked by now, if it is a blob's. Our script finds the base behind the worker's name (takeBase)
 * @param {object} ours
 * @param {string} ours.prelude  absolute URL of our script. It may post
 *   { sockmux: { op: 'stopped', text } } if the program would fare worse behind it; then nothing runs further
 * @param {string} [ours.own]  absolute URL from which the worker's own script is loaded; default: the blob becomes part of the script to try, or base
 * @param {(why: string | null) => unknown} ours.onknown  called once: null if the script runs, and what it returns
 *   then is the first message; otherwise the script's own text, or '' if it said nothing
 * @returns {Worker}
 */
export function startWorker({ scope, Native, given, options, blob, base }, { prelude, own, onknown }) {
	const fallback = blob ?? given;
	const inline = blob && !own;
	const lines = (/** @type {(url: string) => string} */ line) => [prelude, inline ? '' : own ?? base].filter(Boolean).map((each) => line(JSON.stringify(each))).join('');
	// The native function loads both: an error of the one that ours puts in its place is the program's.
	const script = [options?.type === 'module' ? lines((each) => `import${each};`) : `(i=>{${lines((each) => `i(${each});`)}})(importScripts);`, inline ? blob : ''];
	const url = scope.URL.createObjectURL(new Blob([...script, '\n;postMessage({sockmux:{op:"started"}})'], { type: 'text/javascript' }));
	const decided = (/** @type {string | null} */ why) => {
		scope.URL.revokeObjectURL(url);
		return onknown(why);
	};
	/** @type {Worker} */
	let worker;
	try {
		worker = new Native(url, { ...options, name: `${options?.name ?? ''}\n${base}` });
	} catch {
		decided('');
		return startOwn(scope, Native, fallback, options);
	}
	// The one that runs. Others may put their own terminate() in front of this one, so it
	// stays for good.
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
		running = startOwn(scope, Native, fallback, options);
		standIn(worker, running);
		for (const args of held.splice(0)) running.postMessage(...args);
		decided(why);
	};
	const run = () => {
		known();
		Reflect.deleteProperty(worker, 'postMessage');
		const first = decided(null);
		if (first) worker.postMessage(first);
		for (const args of held.splice(0)) Reflect.apply(post, worker, args);
	};
	const onmessage = (/** @type {MessageEvent} */ event) => {
		const { op, text } = event.data?.sockmux ?? {};
		if (op === 'stopped') return fall(event, text);
		if (op !== 'started') return undefined;
		event.stopImmediatePropagation();
		return run();
	};
	// An error in another script than the one to try: that one runs.
	const onerror = (/** @type {ErrorEvent} */ event) => (event.filename && event.filename !== url ? run() : fall(event, ''));
	worker.addEventListener('message', onmessage);
	worker.addEventListener('error', onerror);
	// A message is what it was when it was posted, and what it transfers is gone then.
	worker.postMessage = (/** @type {any} */ message, /** @type {any} */ more) => {
		const transfer = more?.transfer ?? more ?? [];
		held.push(structuredClone([message, transfer], { transfer }));
	};
	return worker;
}

/**
 * Starts the program's own script. The URL of a Blob may be revoked by now.
 * @param {any} scope
 * @param {typeof Worker} Native
 * @param {any} script  URL or Blob
 * @param {WorkerOptions | undefined} options
 * @returns {Worker}
 */
function startOwn(scope, Native, script, options) {
	if (!(script instanceof Blob)) return new Native(script, options);
	const url = scope.URL.createObjectURL(script);
	const worker = new Native(url, options);
	scope.URL.revokeObjectURL(url);
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
		// A script that cannot be fetched is a plain event.
		const repeated = message === undefined ? new Event('error', { cancelable: true })
			: new ErrorEvent('error', { message, filename, lineno, colno, error, cancelable: true });
		if (!worker.dispatchEvent(repeated)) event.preventDefault();
	});
}
