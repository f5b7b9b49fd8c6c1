// The codes of docs/PROTOCOL.md, section 7, as the page needs them.

import * as CODES from './generated/code.js';
import { CLOSE_CODES, CLOSE_NORMAL } from './generated/limit.js';
import { CODE_ROWS } from './generated/name.js';

/** @typedef {(typeof CODE_ROWS)[number][0]} CodeName */

/**
 * Why a stream or the tunnel ended.
 * @typedef {object} Ending
 * @property {number} code
 * @property {CodeName} name
 * @property {number} errno  Emscripten's number, 0 for ok
 * @property {number} closeCode  WebSocket close code
 * @property {string} text  for people
 */

/**
 * Describes the end of a stream. A code that is not in the table becomes `internal` with
 * the number in the text.
 * @param {number} code
 * @param {string} [text]
 * @returns {Ending}
 */
export function ending(code, text = '') {
	let row = CODE_ROWS[code];
	if (!row) {
		text = `code ${code}${text === '' ? '' : `: ${text}`}`;
		code = CODES.internal;
		row = CODE_ROWS[code];
	}
	const [name, errno] = row;
	return { code, name, errno, closeCode: code === CODES.ok ? CLOSE_NORMAL : CLOSE_CODES + code, text };
}
