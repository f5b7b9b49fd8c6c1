import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../../../src/webr/websockets/errors.js';
import { ending } from '../../../src/wire/codes.js';
import * as CODES from '../../../src/wire/generated/code.js';
import { OPEN_TEXT_ANSWER, OPEN_TEXT_STATUS, OPEN_TEXT_TLS } from '../../../src/wire/generated/limit.js';

test('the original\'s words where it has any, and the reason elsewhere', () => {
	for (const [code, text, message] of /** @type {const} */ ([
		[CODES.refused, 'h:1: the target refused the connection', 'Connection refused'],
		[CODES.refused, `h:1: ${OPEN_TEXT_STATUS}403`, 'Invalid HTTP status.'],
		[CODES.refused, `h:1: ${OPEN_TEXT_TLS}: x509: unknown`, 'TLS handshake failed: x509: unknown'],
		[CODES.refused, `h:1: ${OPEN_TEXT_TLS}`, 'TLS handshake failed'],
		[CODES.refused, `h:1: ${OPEN_TEXT_ANSWER}what`, 'Generic error'],
		[CODES.timed_out, '', 'The opening handshake timed out'],
		[CODES.name_not_found, 'h', 'Host not found (authoritative)'],
		[CODES.denied, 'no rule', 'denied: no rule'],
		[CODES.limit, '', 'limit'],
	])) assert.equal(messageOf(ending(code, text)), message, `${code} ${text}`);
});
