import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { matches } from '../../src/http/integrity.js';

const bytes = /** @type {ArrayBuffer} */ (new TextEncoder().encode('body').buffer);
/** @param {string} algorithm */
const hash = (algorithm) => `${algorithm}-${createHash(algorithm).update('body').digest('base64')}`;
const WRONG = `sha512-${'A'.repeat(86)}==`;

test('one of the strongest hashes must be right', async () => {
	for (const [integrity, wanted] of /** @type {[string, boolean][]} */ ([
		['', true], ['md5-xx', true], ['nonsense', true], [hash('sha256'), true], [hash('sha384'), true], [hash('sha512'), true],
		[`${WRONG} ${hash('sha512')}`, true], [`${hash('sha256')} ${WRONG}`, false], [WRONG, false], [`${hash('sha256')}?option`, true],
		[hash('sha256').replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, ''), true],
	])) assert.equal(await matches(bytes, integrity), wanted, integrity);
});
