import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CODES, ending } from '../../src/wire/codes.js';

/** @type {{ codes: { code: number, name: string, errno: number, close: number }[] }} */
const vectors = JSON.parse(readFileSync(new URL('../../../shared/wire/testdata/vectors.json', import.meta.url), 'utf8'));

test('the table of codes is the one of the vectors', () => {
	assert.equal(vectors.codes.length, Object.keys(CODES).length);
	for (const { code, name, errno, close } of vectors.codes) {
		assert.equal(CODES[name], code, name);
		assert.deepEqual(ending(code, 'x'), { code, name, errno, closeCode: close, text: 'x' });
	}
});
