import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsSettings } from '../../src/http/options.js';

const PIN = `sha256/${'A'.repeat(43)}=`;

test('settings that are right', () => {
	assert.deepEqual(tlsSettings({}, 'x'), { roots: '', onlyRoots: false, pins: [] });
	assert.deepEqual(tlsSettings({ roots: ['a', 'b'], onlyRoots: true, pins: [PIN] }, 'x'), { roots: 'a\nb', onlyRoots: true, pins: [PIN.slice(7)] });
	assert.equal(tlsSettings(/** @type {any} */ ({ roots: 'a', own: 1 }), 'x', ['own']).roots, 'a');
});

test('settings that are wrong are TypeErrors with their names', () => {
	for (const [given, words] of /** @type {[any, RegExp][]} */ ([
		[null, /x null is no object/], ['text', /x "text" is no object/], [{ root: '' }, /x\.root is no option: there are roots, onlyRoots, pins/],
		[{ roots: 5 }, /x\.roots is not text in PEM/], [{ roots: 'a\0b' }, /x\.roots/], [{ roots: 'ü' }, /x\.roots/], [{ pins: PIN }, /x\.pins/], [{ pins: ['sha1/x'] }, /x\.pins/],
	])) assert.throws(() => tlsSettings(given, 'x'), { name: 'TypeError', message: words });
});
