import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Records, backlogBytes } from '../../src/tunnel/incoming.js';

/** @type {{ hex: string, number: number, remote: string, why?: string }[]} */
const vectors = JSON.parse(await readFile(new URL('../../../shared/incoming/testdata/records.json', import.meta.url), 'utf8'));
const good = vectors.filter(({ why }) => !why);
const joined = (/** @type {{ addr: string, port: number }} */ { addr, port }) => `${addr.includes(':') ? `[${addr}]` : addr}:${port}`;

test('the records of Go are read, whole and byte by byte', () => {
	assert.ok(good.length > 2);
	const bytes = Buffer.concat(good.map(({ hex }) => Buffer.from(hex, 'hex')));
	for (const size of [bytes.length, 1, 7]) {
		const records = new Records();
		for (let at = 0; at < bytes.length; at += size) records.put(bytes.subarray(at, at + size));
		assert.deepEqual(records.queue.map((one) => [one.number, joined(one)]), good.map(({ number, remote }) => [number, remote]));
		assert.deepEqual(records.queue.map((one) => one.bytes), good.map(({ hex }) => hex.length / 2));
	}
});

test('a backlog is a number of four bytes', () => {
	assert.deepEqual([...backlogBytes(258)], [0, 0, 1, 2]);
	assert.deepEqual([...backlogBytes(-1)], [0, 0, 0, 0]);
});
