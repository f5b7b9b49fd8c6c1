// The table of codes of docs/PROTOCOL.md, section 7, as the page needs it. shared/wire/code.go is the same table.

/**
 * Why a stream or the tunnel ended.
 * @typedef {object} Ending
 * @property {number} code
 * @property {string} name
 * @property {number} errno  Emscripten's number, 0 for ok
 * @property {number} closeCode  WebSocket close code
 * @property {string} text  for people
 */

/** Names and errnos by code. @type {readonly (readonly [name: string, errno: number])[]} */
const TABLE = [
	['ok', 0],
	['refused', 14],
	['host_unreachable', 23],
	['network_unreachable', 40],
	['timed_out', 73],
	['name_not_found', 23],
	['denied', 2],
	['limit', 33],
	['reset', 15],
	['aborted', 13],
	['idle', 73],
	['name_failed', 23],
	['address_not_available', 4],
	['invalid_request', 28],
	['unsupported_kind', 138],
	['unsupported_option', 28],
	['unsupported_version', 65],
	['protocol', 65],
	['unauthorized', 2],
	['expired', 2],
	['draining', 13],
	['session_lost', 13],
	['unknown_session', 13],
	['internal', 29],
	['fake_address', 23],
	['not_connected', 38],
];

/** Every code by its name. @type {Readonly<Record<string, number>>} */
export const CODES = Object.freeze(Object.fromEntries(TABLE.map(([name], code) => [name, code])));

/**
 * Describes the end of a stream. A code that is not in the table becomes `internal` with the number in the text.
 * @param {number} code
 * @param {string} [text]
 * @returns {Ending}
 */
export function ending(code, text = '') {
	if (!Number.isInteger(code) || code < 0 || code >= TABLE.length) {
		text = `code ${code}${text === '' ? '' : `: ${text}`}`;
		code = CODES.internal;
	}
	const [name, errno] = TABLE[code];
	return { code, name, errno, closeCode: code === 0 ? 1000 : 4000 + code, text };
}
