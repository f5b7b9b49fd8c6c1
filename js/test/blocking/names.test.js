import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchNames } from '../../src/blocking/names.js';

test('a fake DNS asks whether names exist; what connect() gets stands for the name', () => {
	/** @type {string[]} */
	const asked = [];
	let waits = 0;
	const connector = /** @type {any} */ ({
		wait: () => void waits++,
		lookup(/** @type {string} */ name) {
			asked.push(name);
			const state = waits === 0 ? 'asking' : name === 'no.test' ? 'missing' : 'found';
			return { state, found: [] };
		},
	});
	const lookup = (/** @type {string} */ name) => `cover of ${name}`;
	const program = /** @type {any} */ ({ DNS: { lookup_name: lookup } });
	const undo = watchNames(program, connector);
	assert.equal(program.DNS.lookup_name('no.test'), '0.0.0.0');
	assert.equal(program.missing, 'no.test');
	assert.equal(waits, 1);
	assert.equal(program.DNS.lookup_name('yes.test'), 'cover of yes.test');
	assert.equal(program.missing, null);
	assert.equal(program.DNS.lookup_name('127.0.0.1.5'), '0.0.0.0');
	assert.equal(program.missing, '127.0.0.1.5');
	assert.equal(program.DNS.lookup_name('0.0.0.0'), '0.0.0.0');
	assert.deepEqual(asked, ['no.test', 'no.test', 'yes.test']);
	undo();
	assert.equal(program.DNS.lookup_name, lookup);
	watchNames(/** @type {any} */ ({}), connector)();
});
