// A policy that would stop a worker's script only with the layer keeps the layer out.

import { mayEval, mayRequest, stopHere } from '../workers/policy.js';

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
	// A policy about requests does not hold for this URL unless it says so; nothing is sent.
	const why = !mayEval(scope) ? EVAL : !mayRequest(scope, 'GET', 'data:,') ? CONNECT : null;
	if (why === null) return true;
	stopHere(why, post);
	return false;
}
