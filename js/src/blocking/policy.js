// A worker that was started from a blob has the page's Content-Security-Policy; from its own
// URL it has none, or one of its own. So a policy that would stop a worker's script only with
// the layer keeps the layer out.

/** @typedef {import('./ring.js').Message} Message */

const OUT = 'programs in workers of this page run without sockmux\'s layer, so their sockets do not wait: '
	+ 'the page\'s Content-Security-Policy would hold for the workers too, and forbids';
const EVAL = `${OUT} eval. Add 'unsafe-eval' to script-src`;
const CONNECT = `${OUT} requests. Add data: to connect-src to say that it allows what the workers need`;

/**
 * Reports whether the worker's script may go on here. Otherwise the page is told, and ends
 * this worker.
 * @param {any} scope
 * @param {(message: Message) => void} post
 */
export function keepsPolicy(scope, post) {
	const why = !mayEval(scope) ? EVAL : !mayRequest(scope) ? CONNECT : null;
	if (why === null) return true;
	post({ op: 'stopped', text: why });
	// Until the page ends this worker, its own script, which comes next, must not run.
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
	return false;
}

/** @param {any} scope */
function mayEval(scope) {
	try {
		scope.eval('0');
		return true;
	} catch {
		return false;
	}
}

/** A policy about requests does not hold for this URL unless it says so; nothing is sent. @param {any} scope */
function mayRequest(scope) {
	try {
		const request = new scope.XMLHttpRequest();
		request.open('GET', 'data:,', false);
		request.send();
		return true;
	} catch {
		return false;
	}
}
