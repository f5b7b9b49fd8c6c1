import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connections } from '../../../src/webr/urls/connection.js';

const PRIVATE_WORD = 89;
/** Addresses: the structure, its private part, the text of the header fields. */
const [STRUCTURE, PRIVATE, TEXT] = [4096, 8192, 12_288];
const GARBAGE = 12_345;

/** An R whose connections have their private part at a word. @param {number} at @param {number} [number]  of the connection that is asked for */
function fakeR(at, number = 3) {
	const words = new Uint32Array(1 << 14);
	words[STRUCTURE / 4 + at] = PRIVATE;
	words[PRIVATE / 4] = GARBAGE;
	words[PRIVATE / 4 + 2] = TEXT;
	/** @type {string[]} */
	const evaluated = [];
	const r = /** @type {any} */ ({
		words,
		text: (/** @type {number} */ from) => (from === TEXT ? '`X-Sockmux: mark`' : ''),
		evaluate: (/** @type {string} */ code) => evaluated.push(code),
		integer: () => number,
		connectionAt: () => STRUCTURE,
	});
	return { r, words, evaluated };
}

test('finds the pointer once, and clears it', () => {
	const { r, words, evaluated } = fakeR(PRIVATE_WORD);
	const connections = new Connections(r);
	assert.equal(connections.secure('http://a.test/'), true);
	words[PRIVATE / 4] = GARBAGE;
	assert.equal(connections.secure('http://a.test/'), true);
	assert.equal(words[PRIVATE / 4], 0);
	assert.equal(evaluated.filter((code) => code.includes('sockmux.invalid')).length, 1);
	assert.equal(evaluated.filter((code) => code.includes('close(.sockmux_mark)')).length, 1);
});

test('an R whose structure is another one is left alone', () => {
	const { r, words } = fakeR(300);
	assert.equal(new Connections(r).secure('http://a.test/'), false);
	assert.equal(words[PRIVATE / 4], GARBAGE);
});

test('no connection is open for the URL: nothing is cleared', () => {
	const { r, words } = fakeR(PRIVATE_WORD, -1);
	const connections = new Connections(r);
	words[PRIVATE / 4] = GARBAGE;
	assert.equal(connections.secure('http://a.test/'), false);
});
