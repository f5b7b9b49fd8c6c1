import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './table.mjs';

const six = (value) => Array.from({ length: 6 }, () => value);

test('a row for each measurement of both trees', () => {
	const { lines, worse, alone } = compare([
		{ family: 'bulk', name: 'down', unit: 'MB/s', values: { sockmux: six(120), base: six(100), native: six(150) } },
		{ family: 'latency', name: 'echo', unit: 'ms', values: { sockmux: [11, 12, 13, 14, 15, 16], base: six(10) } },
		{ family: 'latency', name: 'open', unit: 'ms', values: { sockmux: six(10.5), base: six(10) } },
		{ family: 'size', name: 'empty', unit: 'kB', values: { empty: [417] } },
	], 1.06);
	assert.deepEqual(lines, [
		'|                   | base |  now | now / base |     interval | confidence |        |',
		'|-------------------|-----:|-----:|-----------:|-------------:|-----------:|--------|',
		'| bulk: down, MB/s  |  100 |  120 |       1.20 | 1.20 to 1.20 |  97 % of 6 | better |',
		'| latency: echo, ms | 10.0 | 14.0 |       1.35 | 1.10 to 1.60 |  97 % of 6 | worse  |',
		'| latency: open, ms | 10.0 | 10.5 |       1.05 | 1.05 to 1.05 |  97 % of 6 | worse  |',
	]);
	assert.deepEqual(worse, ['latency: echo, ms']);
	assert.deepEqual(alone, ['size: empty']);
});
