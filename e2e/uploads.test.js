// Long uploads of the page: the target gets what each buffer held when send() was called, in order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { md5, MEGABYTE } from './harness/targets.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
let url = '';

suite({
	async ready({ targets, site, newPage }) {
		url = `ws://127.0.0.1:${targets.ports.upload}/`;
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

/**
 * Bytes of each send, and how many there are. The sizes are those below and above the bounds of
 * the page's blocks and frames.
 */
const SIZES = [1, 4095, 16_384, 65_536, 65_537, 262_144, 300_000, 700_001];
const SENDS = 48;
const SOCKETS = 100;
const EACH = 640_000;

/** What the service `upload` answers to bytes. @param {Buffer} bytes */
function answerTo(bytes) {
	let lines = '';
	for (let at = 0; at < bytes.length; at += MEGABYTE) lines += `${md5(bytes.subarray(at, at + MEGABYTE))}\n`;
	return lines;
}

test('bytes are those of the call: buffers that change, are parts of others, or are given away after it', { timeout: 120_000 }, async () => {
	const lengths = Array.from({ length: SENDS }, (_, i) => SIZES[i % SIZES.length]);
	const got = await page.evaluate(async ([address, all]) => {
		const socket = new WebSocket(address, 'binary');
		await new Promise((resolve) => { socket.onopen = resolve; });
		const done = new Promise((resolve) => { socket.onclose = resolve; });
		const parts = /** @type {Blob[]} */ ([]);
		socket.onmessage = ({ data }) => void parts.push(data);
		const shared = new ArrayBuffer(2_000_000);
		socket.send(`${all.reduce((sum, length) => sum + length, 0)}\n`);
		for (const [i, length] of all.entries()) {
			switch (i % 5) {
				case 0: { // one buffer for all, changed behind the call
					const part = new Uint8Array(shared, 3, length).fill(i);
					socket.send(part);
					part.fill(255);
					break;
				}
				case 1: {
					new Uint8Array(shared).fill(i, 1000, 1000 + length);
					socket.send(new DataView(shared, 1000, length));
					new Uint8Array(shared).fill(254);
					break;
				}
				case 2: { // its memory goes to another owner
					const own = new Uint8Array(length).fill(i).buffer;
					socket.send(own);
					structuredClone(own, { transfer: [own] });
					break;
				}
				case 3: // is read later, and what follows waits behind it
					socket.send(new Blob([new Uint8Array(length).fill(i)]));
					break;
				default: // in a task of its own
					await new Promise((resolve) => { setTimeout(resolve, 0); });
					socket.send(new Uint8Array(length).fill(i));
			}
		}
		const most = socket.bufferedAmount;
		await done;
		return { text: await new Blob(parts).text(), most, left: socket.bufferedAmount };
	}, /** @type {const} */ ([url, lengths]));
	assert.equal(got.text, answerTo(Buffer.concat(lengths.map((length, i) => Buffer.alloc(length, i)))));
	assert.ok(got.most > 0, `bufferedAmount ${got.most}`);
	assert.equal(got.left, 0);
});

test('100 sockets at once: each target gets its own bytes', { timeout: 120_000 }, async () => {
	const texts = await page.evaluate(([address, sockets, each]) => Promise.all(Array.from({ length: sockets }, async (_, i) => {
		const socket = new WebSocket(address, 'binary');
		await new Promise((resolve) => { socket.onopen = resolve; });
		const parts = /** @type {Blob[]} */ ([]);
		socket.onmessage = ({ data }) => void parts.push(data);
		const done = new Promise((resolve) => { socket.onclose = resolve; });
		socket.send(`${each}\n`);
		const piece = new Uint8Array(64_000);
		for (let at = 0; at < each; at += piece.length) socket.send(piece.fill(i + at / piece.length));
		piece.fill(255);
		await done;
		return new Blob(parts).text();
	})), /** @type {const} */ ([url, SOCKETS, EACH]));
	texts.forEach((text, i) => {
		const bytes = Buffer.concat(Array.from({ length: EACH / 64_000 }, (_, k) => Buffer.alloc(64_000, i + k)));
		assert.equal(text, answerTo(bytes), `socket ${i}`);
	});
});
