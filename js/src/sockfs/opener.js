// Opens the streams of programs whose sockets do not pass the WebSocket constructor, by
// the same rule as if they did.

import { checkTarget, unbracket } from '../facade/target.js';

import { joinHostPort } from '../tunnel/target.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import * as KIND from '../wire/generated/kind.js';

/** @typedef {import('../facade/rule.js').Rule} Rule */
/** @typedef {import('../tunnel/stream.js').Handlers} Handlers */
/** @typedef {import('../tunnel/stream.js').Request} Request */
/** @typedef {import('../tunnel/stream.js').Stream} Stream */

/**
 * What a socket needs of a stream.
 * @typedef {Pick<Stream, 'write' | 'closeWrite' | 'stop' | 'close' | 'reset' | 'grant'> & { setSocketOptions?: (options: import('./connector.js').SocketOptions) => void }} StreamLike
 */

/**
 * Opens a stream for a target as the program gave it; never throws for the target.
 * @typedef {(request: Request, handlers: Handlers) => StreamLike} Open
 */

/**
 * @param {object} options
 * @param {{ open: Open }} options.tunnel
 * @param {Rule} options.rule  decides about the URL that SOCKFS would have used
 * @param {(url: string, handlers: Handlers) => StreamLike} options.openNative  for what the rule leaves alone
 * @param {boolean} [options.listen]  whether programs may listen at the server
 * @param {number} [options.timeoutMs]  where a request has none
 * @returns {Open}
 */
export function createOpener({ tunnel, rule, openNative, listen = false, timeoutMs }) {
	return (request, handlers) => {
		const binds = request.kind === KIND.listen || request.kind === KIND.udp_bound;
		if (request.kind === KIND.accept || (binds && listen)) return tunnel.open({ ...request, quiet: true }, handlers);
		if (binds) return refused(handlers);
		// A socket that is not connected leads nowhere yet: the server decides about each target.
		if (request.host === '' && request.kind !== undefined) return tunnel.open({ timeoutMs, ...request }, handlers);
		const asked = { ...request, host: unbracket(request.host), quiet: true };
		// In a URL, a host with a slash would be another host's address. The tunnel
		// refuses what is no target, and says so.
		if (checkTarget(asked)) return tunnel.open(asked, handlers);
		const url = `wss://${joinHostPort(asked.host, asked.port)}/`;
		const target = rule(url, 'binary', true);
		// Datagrams have no WebSocket of the page's to go by.
		return target === null && request.kind === undefined ? openNative(url, handlers) : tunnel.open({ timeoutMs, ...asked, ...target }, handlers);
	};
}

const NO_LISTENING = 'the page does not let programs listen: data-listen at its script element does, where the server allows it (--allow-listen)';

/**
 * A stream that is not to be.
 * @param {Handlers} handlers
 * @returns {StreamLike}
 */
function refused({ onclose }) {
	const nothing = () => {};
	queueMicrotask(() => onclose?.(ending(CODES.denied, NO_LISTENING)));
	return { write: nothing, closeWrite: nothing, stop: nothing, close: nothing, reset: nothing, grant: nothing };
}
