import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, sideBySide } from './groups.mjs';

test('what people do comes first', () => {
	assert.deepEqual(grouped(['native bulk', 'bulk', 'something new', 'webR', 'busy, two loops', 'cold']), [
		{ title: 'First and short: what people do', members: ['cold', 'busy, two loops', 'webR'] },
		{ title: 'Steady state in the browser', members: ['bulk'] },
		{ title: 'The Go client and the server', members: ['native bulk', 'something new'] },
	]);
});

test('warm stands beside cold', () => {
	const of = (...names) => new Map(names.map((name) => [name, { family: '', name, unit: 'ms', values: { sockmux: [1] } }]));
	const families = new Map([['cold', of('1MB', '4MB')], ['warm', of('1MB')]]);
	sideBySide(families);
	assert.deepEqual([...families.keys()], ['cold']);
	assert.deepEqual(families.get('cold').get('1MB').warm, { sockmux: [1] });
	assert.equal(families.get('cold').get('4MB').warm, undefined);
});

test('warm alone stays', () => {
	const families = new Map([['warm', new Map()]]);
	sideBySide(families);
	assert.deepEqual([...families.keys()], ['warm']);
});
