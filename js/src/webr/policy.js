// A worker that was started from a blob has the page's Content-Security-Policy. webR's
// own URL has none, or one of its own. So a policy that webR never meets without the
// layer must not stop it with the layer.

import { mayEval, mayRequest, stopHere } from '../workers/policy.js';

/** @typedef {import('../blocking/ring.js').Message} Message */

const CURE = 'webR starts without the layer. Call "await sockmux.attach(webR)" after "new WebR()", or';

/** R's code evaluates JavaScript (EM_ASM of its libraries). */
const NO_EVAL = `the Content-Security-Policy of this page forbids eval, which R needs in a worker that has this policy. ${CURE} add 'unsafe-eval' to script-src`;

const NO_FETCH = (/** @type {string} */ origin) => `the Content-Security-Policy of this page forbids requests to ${origin}, which webR needs in a worker that has this policy. `
	+ `${CURE} add ${origin} to connect-src`;

/**
 * webR that comes from another origin starts from a blob of its own, so without the layer
 * it has the page's policy as well.
 */
const NO_EVAL_EITHER_WAY = 'the Content-Security-Policy of this page forbids eval, so R does not start in this worker, with or without the layer. '
	+ 'Add \'unsafe-eval\' to script-src, or serve webR from the page\'s own origin';

/**
 * Ends the script here if webR would fare better from its own URL: the page is told and
 * ends this worker. Afterwards the page's console names each request of R that the policy
 * forbids.
 * @param {any} scope
 * @param {string} base  URL of webR's own script; empty if that is a blob too
 * @param {(message: Message) => void} post
 */
export function obeyPolicy(scope, base, post) {
	if (!mayEval(scope)) {
		if (base) return stopHere(NO_EVAL, post);
		post({ op: 'note', token: '', text: NO_EVAL_EITHER_WAY });
	} else if (base && !mayRequest(scope, 'HEAD', base)) return stopHere(NO_FETCH(new URL(base).origin), post);
	const told = new Set();
	scope.addEventListener('securitypolicyviolation', (/** @type {SecurityPolicyViolationEvent} */ { disposition, effectiveDirective, blockedURI }) => {
		const origin = originOf(blockedURI);
		const what = `${effectiveDirective} ${origin}`;
		if (disposition !== 'enforce' || !origin || told.has(what)) return;
		told.add(what);
		post({ op: 'note', token: '', text: `the Content-Security-Policy of this page, which holds for R too, forbids R's request to ${blockedURI}: add ${origin} to ${effectiveDirective}` });
	});
	return undefined;
}

/**
 * The source to add. Empty for what is no request, such as "eval".
 * @param {string} uri  of a violation: a URL, a scheme or a word
 */
function originOf(uri) {
	try {
		return new URL(uri).origin;
	} catch {
		return /^(blob|data|filesystem)$/.test(uri) ? `${uri}:` : '';
	}
}
