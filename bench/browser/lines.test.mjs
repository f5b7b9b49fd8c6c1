import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from './cells.mjs';
import { LINES } from './lines.mjs';

for (const [name, { path, fresh, idle }] of Object.entries(LINES)) {
	test(`${name}: the queue holds a round trip and 64 packets`, () => {
		assert.ok(path.queue >= (path.rtt / 1000) * path.rate);
		assert.ok(path.queue >= 64 * 1500);
	});
	test(`${name}: its cells are there`, () => {
		assert.ok(choose(fresh).length >= choose(idle).length);
	});
}
