import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELLS, choose } from './cells.mjs';

const names = (...patterns) => choose(patterns).map(({ name }) => name);

test('a cell by its name', () => {
	assert.deepEqual(choose(['up/1MB/6']), [{ name: 'up/1MB/6', direction: 'up', size: '1MB', bytes: 1e6, streams: 6 }]);
});

test('a star stands for any part', () => {
	assert.deepEqual(names('down/*/6'), ['64KiB', '256KiB', '1MB', '4MB', '16MB'].map((size) => `down/${size}/6`));
	assert.equal(names('*/*/*').length, CELLS.length);
});

test('several patterns give each cell once, in the order of all', () => {
	assert.deepEqual(names('up/1MB/1', '*/1MB/1'), ['down/1MB/1', 'up/1MB/1']);
});

test('a pattern that names no cell', () => {
	assert.throws(() => choose(['down/1MB']), /^Error: --cells down\/1MB: there is down\/64KiB\/1, /);
	assert.throws(() => choose(['down/2MB/1']), /--cells/);
});
