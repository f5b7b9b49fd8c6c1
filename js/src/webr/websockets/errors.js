// The words of R's package websocket for a WebSocket that was not opened.

import * as CODES from '../../wire/generated/code.js';
import { OPEN_TEXT_ANSWER, OPEN_TEXT_STATUS, OPEN_TEXT_TLS } from '../../wire/generated/limit.js';

/** By the code of an end before the connection to the target was open. */
const BY_CODE = new Map([
	[CODES.refused, 'Connection refused'],
	[CODES.name_not_found, 'Host not found (authoritative)'],
	[CODES.timed_out, 'The opening handshake timed out'],
	[CODES.host_unreachable, 'No route to host'],
	[CODES.network_unreachable, 'Network is unreachable'],
	[CODES.reset, 'Connection reset by peer'],
]);

/**
 * Returns what onError() is told. A code that the original does not have stands with its reason.
 * @param {Pick<import('../../wire/codes.js').Ending, 'code' | 'name' | 'text'>} why
 */
export function messageOf({ code, name, text }) {
	if (text.includes(OPEN_TEXT_STATUS)) return 'Invalid HTTP status.';
	const [, certificate] = text.split(OPEN_TEXT_TLS);
	if (certificate !== undefined) return `TLS handshake failed${certificate}`; // which the original does not check
	if (text.includes(OPEN_TEXT_ANSWER)) return 'Generic error';
	return BY_CODE.get(code) ?? (text ? `${name}: ${text}` : name);
}
