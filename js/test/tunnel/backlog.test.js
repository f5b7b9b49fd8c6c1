import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog, Blocks } from '../../src/tunnel/backlog.js';

const BLOCK = 256 * 1024;

/** Everything that is in it. @param {Backlog} backlog */
function drain(backlog) {
	/** @type {Uint8Array[]} */
	const pieces = [];
	while (backlog.length > 0) backlog.take((piece) => pieces.push(piece.slice()));
	return pieces;
}

test('what goes in comes out, in order and in few pieces', () => {
	const backlog = new Backlog(new Blocks());
	const all = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) >> 3);
	for (let at = 0, n = 1; at < all.length; at += n, n = (n * 7) % 60_000 + 1) backlog.put(all.subarray(at, at + n));
	assert.equal(backlog.length, all.length);
	const pieces = drain(backlog);
	assert.ok(Buffer.concat(pieces).equals(all));
	assert.ok(pieces.every(({ length }) => length <= BLOCK));
	assert.equal(backlog.length, 0);
});

test('bytes are copied', () => {
	const backlog = new Backlog(new Blocks());
	const own = new Uint8Array(20_000).fill(1);
	backlog.put(own);
	own.fill(2);
	backlog.put(own);
	const got = Buffer.concat(drain(backlog));
	assert.deepEqual([got[0], got[19_999], got[20_000], got.length], [1, 1, 2, 40_000]);
});

test('blocks are used again and never shared', () => {
	const blocks = new Blocks();
	const [a, b] = [new Backlog(blocks), new Backlog(blocks)];
	a.put(new Uint8Array(BLOCK).fill(1));
	/** @type {ArrayBufferLike | undefined} */
	let first;
	a.take((piece) => (first = piece.buffer));
	a.put(new Uint8Array(BLOCK).fill(2));
	b.put(new Uint8Array(BLOCK).fill(3));
	a.take((piece) => assert.equal(piece.buffer, first));
	assert.ok(drain(b)[0].every((byte) => byte === 3));
	b.put(new Uint8Array(BLOCK));
	b.clear();
	assert.equal(b.length, 0);
	assert.deepEqual(drain(b), []);
});

test('short writes begin no block', () => {
	const blocks = new Blocks();
	let taken = 0;
	const take = blocks.take.bind(blocks);
	blocks.take = () => (taken++, take());
	const backlog = new Backlog(blocks);
	for (let i = 0; i < 10; i++) backlog.put(new Uint8Array(100).fill(i));
	assert.equal(taken, 0);
	assert.equal(Buffer.concat(drain(backlog)).length, 1000);
});

test('only so many blocks are kept', () => {
	const blocks = new Blocks();
	const made = Array.from({ length: 40 }, () => blocks.take());
	for (const block of made) blocks.give(block);
	const again = new Set(Array.from({ length: 40 }, () => blocks.take()));
	assert.equal(made.filter((block) => again.has(block)).length, 16);
});
