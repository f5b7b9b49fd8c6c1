// A worker that was started from a blob has the page's Content-Security-Policy; from its own URL
// it has none, or one of its own. These tell a script of ours in front what the policy allows.

/** @param {any} scope */
export function mayEval(scope) {
	try {
		scope.eval('0');
		return true;
	} catch {
		return false;
	}
}

/**
 * Whether a URL may be requested. The policy decides before anything is sent, and an answer of
 * any kind means yes.
 * @param {any} scope
 * @param {string} method
 * @param {string} url
 */
export function mayRequest(scope, method, url) {
	try {
		const request = new scope.XMLHttpRequest();
		request.open(method, url, false);
		request.send();
		return true;
	} catch {
		return false;
	}
}

/**
 * Tells the page to end this worker. Until it has, the worker's own script, which comes next,
 * must not run: so this does not return.
 * @param {string} text
 * @param {(message: import('../blocking/ring.js').Message) => void} post
 */
export function stopHere(text, post) {
	post({ op: 'stopped', text });
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
