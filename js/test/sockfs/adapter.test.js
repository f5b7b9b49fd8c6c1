import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdapter } from '../../src/sockfs/program/adapter.js';
import { explain } from '../../src/sockfs/explain.js';
import { linked } from '../../src/sockfs/program/link.js';

/** A WebAssembly whose stacks suspend by calling `wait` at once. @param {(ticket: number) => any} wait */
function adapterOf(wait) {
	const { Module, Instance } = WebAssembly;
	/** @param {any} inner */
	function Suspending(inner) {
		return inner;
	}
	const adapter = createAdapter({ WebAssembly: { Module, Instance, Suspending } }, wait);
	assert.ok(adapter);
	return adapter;
}

test('a call that would block is made again after each wait', () => {
	/** @type {number[]} */
	const waits = [];
	/** @type {any[]} */
	const attempts = [];
	const call = adapterOf((ticket) => void waits.push(ticket))({
		attempt(args, ticket) {
			attempts.push([args, ticket]);
			return attempts.length < 3 ? { result: -6, ticket: attempts.length } : { result: 42, ticket: 0 };
		},
		giveUp: () => assert.fail('gave up'),
	}, 3);
	assert.equal(call(7, 8, 9), 42);
	assert.deepEqual(waits, [1, 2]);
	assert.deepEqual(attempts, [[[7, 8, 9], 0], [[7, 8, 9], 1], [[7, 8, 9], 2]]);
});

test('where the stack does not suspend the call is given up, and no error leaves it', () => {
	/** @type {any[]} */
	const given = [];
	const call = adapterOf(() => {
		throw new Error('trying to suspend JS frames');
	})({
		attempt: () => ({ result: -6, ticket: 5 }),
		giveUp(args, ticket) {
			given.push([args, ticket]);
			return -11;
		},
	}, 6);
	assert.equal(call(1, 2, 3, 4, 5, 6), -11);
	assert.deepEqual(given, [[[1, 2, 3, 4, 5, 6], 5]]);
});

test('a browser without JSPI has no adapter', () => {
	assert.equal(createAdapter({ WebAssembly: {} }, async () => {}), null);
});

test('a program whose imports have other types is linked again without the wasm', async () => {
	let plain = false;
	const native = async () => {
		if (!plain) throw new WebAssembly.LinkError('type mismatch');
		return 'instance';
	};
	assert.equal(await linked(WebAssembly, native, [new Uint8Array(), {}], () => {
		plain = true;
	}), 'instance');
	await assert.rejects(linked(WebAssembly, async () => {
		throw new TypeError('other');
	}, [new Uint8Array(), {}], () => assert.fail('relinked')), /other/);
});

test('each cause of a missing layer is named with its cure', () => {
	assert.match(explain({ wasm: false, others: false }), /without WebAssembly.*-sWASM=1/);
	assert.match(explain({ wasm: true, others: false, started: true }), /closure.*--closure 0/);
	assert.match(explain({ wasm: true, others: true }), /closure.*--closure 0/);
	assert.match(explain({ wasm: true, others: false }), /before sockmux.*before the program/);
});
