import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionsOf } from './options.mjs';

const FAMILIES = { browser: ['cold', 'bulk', 'latency', 'load'], native: ['bulk', 'open'] };

test('families of both benchmarks, by name', () => {
	const { browser, native } = optionsOf({ base: 'main', families: 'bulk native-open,native-bulk' }, [], FAMILIES);
	assert.deepEqual({ browser, native }, { browser: ['bulk'], native: ['open', 'bulk'] });
});

test('what is not said', () => {
	// make hands over empty texts.
	const given = { base: 'main', families: '', rounds: '', bound: '', rivals: '' };
	assert.deepEqual(optionsOf(given, ['--quick'], FAMILIES), { base: 'main', browser: ['cold', 'bulk', 'latency', 'load'], native: [], rounds: 10, bound: undefined, rivals: '', rest: ['--quick'] });
});

/** @type {[object, RegExp][]} */
const REFUSED = [
	[{ base: '' }, /^BASE names the commit/],
	[{ base: 'main', families: 'bulk nothing' }, /^FAMILIES: there is no nothing; there is cold, bulk, latency, load, native-bulk, native-open$/],
	[{ base: 'main', rounds: 'many' }, /^ROUNDS=many is no number of rounds$/],
	[{ base: 'main', rounds: '0' }, /^ROUNDS=0 is no number of rounds$/],
	[{ base: 'main', bound: '0.9' }, /^BOUND=0.9 is no factor of 1 or more$/],
	[{ base: 'main', bound: '1.1', rounds: '5' }, /^BOUND needs at least 6 rounds/],
];
for (const [given, message] of REFUSED) test(`refused: ${JSON.stringify(given)}`, () => assert.throws(() => optionsOf(given, [], FAMILIES), { message }));
