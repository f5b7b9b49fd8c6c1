import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternate, orderOf } from './alternate.mjs';

for (const kinds of [['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
	test(`${kinds.length} kinds: each is as often before another one as behind it`, () => {
		const orders = Array.from({ length: 2 * kinds.length }, (_, round) => orderOf(kinds, round));
		for (const order of orders) assert.deepEqual([...order].sort(), kinds);
		for (const one of kinds) {
			for (const other of kinds.filter((kind) => kind !== one)) {
				assert.equal(orders.filter((order) => order.indexOf(one) < order.indexOf(other)).length, kinds.length);
			}
		}
	});
}

test('a warm-up is measured and not kept', async () => {
	const order = [];
	const results = await alternate({ warmups: 1, rounds: 2 }, ['a', 'b'], async (kind) => order.push(kind));
	assert.deepEqual(order, ['a', 'b', 'b', 'a', 'b', 'a']);
	assert.deepEqual(results, { a: [4, 6], b: [3, 5] });
});
