import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './table.mjs';

test('cold and warm side by side', () => {
	assert.deepEqual(table([
		{ family: 'cold', name: '1MB down', unit: 'ms', goal: '<= 1.1 x native', values: { native: [10, 10], sockmux: [12, 12] }, warm: { native: [5, 5], sockmux: [5, 5] } },
		{ family: 'cold', name: 'LAN, 1MB down', unit: 'ms', goal: '<= 1.1 x native', values: { native: [10, 10], sockmux: [10, 10] } },
	]), [
		'|  | sockmux | sockmux, warm | native | native, warm | goal | met |',
		'|---|---:|---:|---:|---:|---|---|',
		'| 1MB down, ms | 12.0 | 5.00 | 10.0 (1.20x) | 5.00 (1.00x) | `<= 1.1 x native` | no |',
		'| LAN, 1MB down, ms | 10.0 |  | 10.0 (1.00x) |  | `<= 1.1 x native` | yes |',
	]);
});

test('without goals there is no column for them', () => {
	assert.deepEqual(table([{ family: 'webR', name: 'download', unit: 'MB/s', values: { sockmux: [157], 'websockify + SOCKS': [0] } }]), [
		'|  | sockmux | websockify + SOCKS |',
		'|---|---:|---:|',
		'| download, MB/s | 157 | 0 |',
	]);
});
