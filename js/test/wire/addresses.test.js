import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeAddresses } from '../../src/wire/addresses.js';

/** @type {Record<string, { layer: string, hex: string, fields?: unknown, why?: string }[]>} */
const vectors = JSON.parse(readFileSync(new URL('../../../shared/wire/testdata/vectors.json', import.meta.url), 'utf8'));

test('the answers of the vectors', () => {
	let answers = 0;
	for (const { layer, hex, fields, why } of Object.values(vectors).flat()) {
		if (layer !== 'addresses') continue;
		answers++;
		const body = Buffer.from(hex, 'hex');
		const answer = Buffer.concat([Buffer.from([body.length >> 8, body.length]), body]);
		assert.deepEqual(decodeAddresses(answer), fields ?? null, why ?? hex);
		assert.equal(decodeAddresses(answer.subarray(0, -1)), null, `${hex} cut short`);
		assert.equal(decodeAddresses(Buffer.concat([answer, answer])), null, `more than ${hex}`);
	}
	assert.ok(answers > 5);
});
