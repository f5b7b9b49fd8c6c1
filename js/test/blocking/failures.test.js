import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failures } from '../../src/blocking/failures.js';

test('the reason names the target once, and a new attempt takes it back', () => {
	const failures = new Failures();
	assert.equal(failures.last, '');
	failures.begin('a.test', 80);
	failures.add('a.test', 80, { name: 'refused', text: 'connect: connection refused' });
	assert.equal(failures.last, 'refused: a.test:80: connect: connection refused');
	failures.add('b.test', 81, { name: 'denied', text: 'b.test:81: no rule allows it' });
	assert.equal(failures.last, 'denied: b.test:81: no rule allows it');
	assert.equal(failures.of('a.test', 80), 'refused: a.test:80: connect: connection refused');
	failures.begin('a.test', 80);
	assert.equal(failures.last, '');
	assert.equal(failures.of('a.test', 80), '');
	assert.equal(failures.of('b.test', 81), 'denied: b.test:81: no rule allows it');
	failures.add('c.test', 82, { name: 'reset', text: '' });
	assert.equal(failures.last, 'reset: c.test:82: no more is known');
});

test('a program that tries port after port does not fill the memory', () => {
	const failures = new Failures();
	for (let port = 1; port <= 1000; port++) failures.add('a.test', port, { name: 'refused', text: 'x' });
	assert.equal(failures.of('a.test', 1), '');
	assert.equal(failures.of('a.test', 744), '');
	assert.equal(failures.of('a.test', 745), 'refused: a.test:745: x');
});
