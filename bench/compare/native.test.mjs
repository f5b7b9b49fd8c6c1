import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alternateTrees } from './native.mjs';

test('rounds of two trees become one measurement', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-compare-'));
	t.after(() => rm(folder, { recursive: true }));
	const order = [];
	const measurements = await alternateTrees({ sockmux: '/now', base: '/base' }, 2, async (tree, kind, out) => {
		order.push(tree);
		const measured = [{ family: 'native bulk', name: 'down', unit: 'MB/s', values: { sockmux: [order.length] } }];
		if (kind === 'sockmux') measured.push({ family: 'native open', name: 'opens', unit: 'sockets/s', values: { sockmux: [1] } });
		await writeFile(out, JSON.stringify({ measurements: measured }));
	}, folder);
	assert.deepEqual(order, ['/now', '/base', '/base', '/now']);
	assert.deepEqual(measurements, [
		{ family: 'native bulk', name: 'down', unit: 'MB/s', values: { sockmux: [1, 4], base: [2, 3] } },
		{ family: 'native open', name: 'opens', unit: 'sockets/s', values: { sockmux: [1, 1] } },
	]);
});

test('a tree that knows no such family leaves nothing', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-compare-'));
	t.after(() => rm(folder, { recursive: true }));
	assert.deepEqual(await alternateTrees({ sockmux: '/now', base: '/base' }, 1, async () => undefined, folder), []);
});
