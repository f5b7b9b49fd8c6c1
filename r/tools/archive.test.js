import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { archive } from './archive.js';

test('the list says where each file is, and the end where the list is', () => {
	const files = { 'DESCRIPTION': 'Package: a\n', 'R/a': 'x'.repeat(600), 'empty': '' };
	const bytes = gunzipSync(archive('a', files));
	const [magic, , block, length] = [0, 4, 8, 12].map((at) => bytes.readInt32BE(bytes.length - 16 + at));
	assert.equal(magic, 2003133010);
	const list = JSON.parse(bytes.subarray(block * 512, block * 512 + length).toString());
	assert.deepEqual(Object.fromEntries(list.files.map((/** @type {{ filename: string, start: number, end: number }} */ { filename, start, end }) => [filename, bytes.subarray(start, end).toString()])), { '/DESCRIPTION': files.DESCRIPTION, '/R/a': files['R/a'], '/empty': '' });
});

test('each member has a header of ustar with its sum', () => {
	const bytes = gunzipSync(archive('a', { DESCRIPTION: 'Package: a\n' }));
	const header = Buffer.from(bytes.subarray(0, 512));
	assert.equal(header.toString('latin1', 0, 13), 'a/DESCRIPTION');
	assert.equal(parseInt(header.toString('latin1', 124, 136), 8), 11);
	const sum = parseInt(header.toString('latin1', 148, 154), 8);
	header.fill(32, 148, 156);
	assert.equal(header.reduce((total, byte) => total + byte, 0), sum);
});
