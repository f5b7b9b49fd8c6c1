import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ending } from '../../src/wire/codes.js';
import * as CODES from '../../src/wire/generated/code.js';

/** @type {{ codes: { code: number, name: string, errno: number, close: number }[] }} */
const vectors = JSON.parse(readFileSync(new URL('../../../shared/wire/testdata/vectors.json', import.meta.url), 'utf8'));

/** @type {Record<string, number>} */
const codes = CODES;

test('the table of codes is the one of the vectors', () => {
	assert.equal(vectors.codes.length, Object.keys(CODES).length);
	for (const { code, name, errno, close } of vectors.codes) {
		assert.equal(codes[name], code, name);
		assert.deepEqual(ending(code, 'x'), { code, name, errno, closeCode: close, text: 'x' });
	}
});
