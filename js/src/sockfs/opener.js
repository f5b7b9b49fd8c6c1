// Opens the streams of programs whose sockets do not pass the WebSocket constructor, by the same rule as if they did.

import { checkTarget, unbracket } from '../facade/target.js';

/** @typedef {import('../facade/rule.js').Rule} Rule */
/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */
/** @typedef {import('../tunnel/stream.js').Request} Request */
/** @typedef {import('../tunnel/stream.js').Stream} Stream */

/** What a socket needs of a stream. @typedef {Pick<Stream, 'write' | 'closeWrite' | 'stop' | 'close' | 'reset' | 'grant'>} StreamLike */

/** Opens a stream for a target as the program gave it; never throws for the target. @typedef {(request: Request, handlers: Handlers) => StreamLike} Open */

/** What is returned for a target that is refused here. @type {StreamLike} */
const NOTHING = { write() {}, closeWrite() {}, stop() {}, close() {}, reset() {}, grant() {} };

/**
 * @param {object} options
 * @param {{ open: Open }} options.tunnel
 * @param {Rule} options.rule  decides about the URL that SOCKFS would have used
 * @param {(url: string, handlers: Handlers) => StreamLike} options.openNative  for what the rule leaves alone
 * @param {(run: () => void) => void} options.later  runs a function in a task of its own
 * @param {number} [options.timeoutMs]  where a request has none
 * @returns {Open}
 */
export function createOpener({ tunnel, rule, openNative, later, timeoutMs }) {
	return (request, handlers) => {
		const host = unbracket(request.host);
		const url = `wss://${host.includes(':') ? `[${host}]` : host}:${request.port}/`;
		const target = rule(url, 'binary');
		if (target === null) return openNative(url, handlers);
		const fault = checkTarget(target);
		if (fault === null) return tunnel.open({ timeoutMs, ...request, ...target }, handlers);
		later(() => handlers.onclose?.(fault));
		return NOTHING;
	};
}
