// A hostile server and the page: the bounds that the protocol declares hold, and the page
// goes on answering.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPlain } from './harness/plain.js';
import { frameHeader, startHostile, yamux } from './harness/hostile.js';
import { watchMemory } from './harness/memory.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite();

const MIB = 2 ** 20;
const HUGE_BYTES = 256 * MIB;
const PINGS = 2_000_000;
const NOTICES = 300_000;

/**
 * Turns of a page that goes on, at least: one that stands still has one or two. The flood is over
 * in a second or less.
 */
const STILL = 10;

/**
 * The browser itself gathers a message and makes it an ArrayBuffer before a script sees
 * it: that many times its bytes at most.
 */
const GATHERING = 2.5;

/** A page with the wasm, without anything of a server's. */
const PAGE_BYTES = 250 * MIB;

/**
 * A page whose server is hostile. Turns of the page's event loop are counted while its
 * session is open, and the states are kept.
 * @param {Parameters<typeof startHostile>[0]} act
 * @param {boolean} worker
 */
async function meet(act, worker) {
	const server = await startHostile(act);
	world.alsoStop(server);
	const page = await world.newPage();
	await page.addInitScript((given) => {
		const scope = /** @type {any} */ (globalThis);
		scope.sockmux = given;
		scope.turns = 0;
		scope.reasons = [];
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			scope.turns++;
			setTimeout(() => port2.postMessage(null), 1);
		};
		port2.postMessage(null);
	}, { url: server.origin, worker });
	await page.goto(`${world.site.origin}/bare.html`);
	await page.evaluate(() => {
		const { sockmux, reasons } = /** @type {any} */ (globalThis);
		sockmux.on('state', (/** @type {any} */ { state, reason }) => reasons.push(`${state} ${reason?.name ?? ''} ${reason?.text ?? ''}`));
		sockmux.on('notice', () => /** @type {any} */ (globalThis).notices = (/** @type {any} */ (globalThis).notices ?? 0) + 1);
	});
	const open = () => page.evaluate(() => {
		const scope = /** @type {any} */ (globalThis);
		scope.turns = 0;
		scope.socket = scope.sockmux.connect('127.0.0.1', 1);
	});
	const facts = () => page.evaluate(() => {
		const { turns, reasons, notices = 0 } = /** @type {any} */ (globalThis);
		return { turns, reasons, notices };
	});
	const ended = () => until(async () => (await facts()).reasons.find((/** @type {string} */ line) => line.startsWith('closed ')), 'the session has ended', 60_000);
	return { page, open, facts, ended };
}

for (const worker of [false, true]) {
	const where = worker ? 'in a worker' : 'in the page';

	test(`a message of 256 MiB is not taken (${where})`, { timeout: 180_000 }, async (t) => {
		/** The CLOSE that the page sends. @type {Buffer | undefined} */
		let close;
		const server = await startHostile(async (peer) => {
			peer.socket.write(frameHeader(HUGE_BYTES));
			const part = Buffer.alloc(MIB);
			for (let at = 0; at < HUGE_BYTES; at += part.length) if (!peer.socket.write(part)) await peer.drained();
			close = await until(() => peer.messages.find((message) => message[0] === 7), 'a CLOSE', 120_000);
		});
		world.alsoStop(server);
		// Not by the debugger, which keeps a copy of each message and makes it text.
		const browser = await startPlain(`${world.site.origin}/hostile.html?url=${server.origin}${worker ? '&worker=on' : ''}`);
		try {
			let peak = 0;
			await until(() => {
				peak = Math.max(peak, browser.renderer());
				return close;
			}, 'the page has ended the session', 120_000);
			const text = close?.subarray(3).toString();
			t.diagnostic(`${text}; the page had ${Math.round(peak / MIB)} MiB at most`);
			assert.equal(text, 'a message of 268435456 bytes: at most 1048576 are allowed');
			assert.equal(close?.readUInt16BE(1), 7, 'the code is limit');
			assert.ok(peak < PAGE_BYTES + GATHERING * HUGE_BYTES, `the page had ${Math.round(peak / MIB)} MiB`);
		} finally {
			await browser.stop();
		}
	});

	test(`${PINGS} PINGs: the page goes on (${where})`, { timeout: 180_000 }, async (t) => {
		let answers = () => 0;
		const { page, open, facts, ended } = await meet(async (peer) => {
			answers = () => peer.messages.filter((message) => message[0] === 6).length;
			const ping = Buffer.concat([frameHeader(9), Buffer.from([5, 0, 0, 0, 0, 0, 0, 0, 1])]);
			const many = Buffer.concat(Array.from({ length: 1000 }, () => ping));
			for (let sent = 0; sent < PINGS && !peer.socket.destroyed; sent += 1000) if (!peer.socket.write(many)) await peer.drained();
			peer.send(Buffer.from([7, 0, 8, ...Buffer.from('that was all')]));
		}, worker);
		const { value, before, peak } = await watchMemory(world.browser, async () => {
			await open();
			return ended();
		});
		const { turns } = await facts();
		t.diagnostic(`${value}; ${turns} turns of the page, ${answers()} answers, ${Math.round((peak - before) / MIB)} MiB`);
		assert.ok(answers() < PINGS / 10, `${answers()} answers`);
		assert.ok(turns >= STILL, `the page had ${turns} turns meanwhile`);
		assert.ok(peak - before < 256 * MIB, `the page grew by ${Math.round((peak - before) / MIB)} MiB`);
		await page.context().close();
	});

	test(`${NOTICES} notices: few lines, and the page goes on (${where})`, { timeout: 180_000 }, async (t) => {
		const { page, open, facts, ended } = await meet(async (peer) => {
			const result = Buffer.from([0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
			peer.data(Buffer.concat([yamux(1, 2, 1, 0), yamux(0, 0, 1, result.length), result]));
			const notice = Buffer.from([0, 10, 5, 1, 0, 0, ...Buffer.from('hello!')]);
			const count = 1000;
			const many = Buffer.concat(Array.from({ length: count }, () => notice));
			for (let sent = 0; sent < NOTICES && !peer.socket.destroyed; sent += count) {
				await until(() => peer.room(1) >= many.length || peer.socket.destroyed, 'room', 60_000);
				peer.data(Buffer.concat([yamux(0, 0, 1, many.length), many]));
				await peer.drained();
			}
			peer.send(Buffer.from([7, 0, 8, ...Buffer.from('that was all')]));
		}, worker);
		const began = performance.now();
		await open();
		const value = await ended();
		const seconds = Math.ceil((performance.now() - began) / 1000);
		const { turns, notices } = await facts();
		const lines = page.lines.filter((line) => /hello!|more (lines|notices)/.test(line)).length;
		t.diagnostic(`${value}; ${lines} lines and ${notices} events in ${seconds} s; ${turns} turns of the page`);
		assert.match(value, /^closed reset that was all$/);
		assert.ok(lines <= 12 * (seconds + 1), `${lines} lines in ${seconds} s`);
		await until(() => page.lines.some((line) => /\d+ more (lines|notices)/.test(line)), 'what was left out is counted'); // at the second's end
		assert.ok(turns >= STILL, `the page had ${turns} turns meanwhile`);
		await page.context().close();
	});
}
