// The page at /: R's console, the examples, the list of sockets. No network but the server's own.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suite } from './harness/suite.js';
import { startSockmux, WEBR_DIST } from './harness/sockmux.js';
import { openPlayground, runSnippet, transcript } from './harness/playground.js';
import { until } from './harness/until.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {string} */
let origin;
/** Addresses that the page asked for beside the server's. @type {string[]} */
const foreign = [];

suite({
	async ready({ alsoStop, newPage }) {
		const server = await startSockmux(['--demo', '--webr', WEBR_DIST]);
		alsoStop(server);
		origin = server.origin;
		page = await newPage({ viewport: { width: 1280, height: 900 } });
		page.on('request', (request) => {
			if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).host !== new URL(origin).host) foreign.push(request.url());
		});
		await openPlayground(page, origin);
	},
});

/** How far the page is wider than its window, and what sticks out of it. The console and the row of examples scroll by themselves. */
const overflow = () => page.evaluate(() => {
	const { clientWidth, scrollWidth } = document.documentElement;
	const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth + 1 && !element.closest('.screen, .skip, .snippets')).map((element) => element.id || element.className || element.tagName);
	return { by: scrollWidth - clientWidth, wide };
});

test('the page is isolated, R is ready, and nobody else was asked for anything', async () => {
	assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true);
	assert.match(await transcript(page), /R \d+\.\d+\.\d+ by webR 0\.6\.0, ready in/);
	assert.equal(await page.locator('#notice').isVisible(), false);
});

describe('each example runs as it says', () => {
	/** @type {[string, RegExp][]} */
	const examples = [
		['HTTP by hand', /HTTP\/1\.1 200 OK[^]*Hello from the other end of the tunnel/],
		['A line protocol', /\[1\] ".*\d\d:\d\d:\d\d[^]*real TCP sockets for programs in a web page/],
		['Forty at once', /40 answers in \d+ ms/],
		['Errors told apart', /port \d+ -> cannot open the connection[^]*10\.0\.0\.1 port 80 -> cannot open the connection[^]*nobody\.onion port 80 -> cannot open the connection/],
		['Ten megabytes', /10000000 bytes in [\d.]+ s: [\d.]+ MB\/s$/m],
		['Half-close', /I have nothing more to say, but I am still listening\./],
	];
	for (const [title, wanted] of examples) {
		test(title, async () => {
			const text = await runSnippet(page, title);
			assert.match(text, wanted);
			assert.doesNotMatch(text, /^Error/m);
		});
	}

	test('there is no example without a test', async () => {
		assert.deepEqual(await page.locator('#snippets b').allTextContents(), examples.map(([title]) => title));
	});
});

test('the list shows the sockets, their ends, bytes and latency, and one WebSocket under them', async () => {
	const rows = await until(async () => {
		const texts = await page.locator('#streams li').allInnerTexts();
		return texts.length >= 5 ? texts : null;
	}, 'sockets in the list');
	const all = rows.join('\n');
	assert.match(all, /127\.0\.0\.1:\d+/);
	for (const reason of [/refused/, /denied by the server.s policy/, /no such name/]) assert.match(all, reason);
	assert.match(all, /\d+(\.\d+)? (ms|µs)/);
	assert.match(all, /\d+(\.\d+)? (k|M)?B/);
	assert.equal(await page.locator('#trunk-state').getAttribute('data-state'), 'open');
	assert.match(await page.locator('#trunk-url').innerText(), /\/v1\/connect/);
	assert.match(await page.locator('#f-down').innerText(), /MB/);
	assert.equal(page.carriers.length, 1, page.carriers.join(' '));
});

test('typing: a line runs, the history comes back, Ctrl-C ends a blocked read', async () => {
	const input = page.locator('#input');
	await input.fill('6 * 7');
	await input.press('Enter');
	await until(async () => (await transcript(page)).includes('[1] 42'), 'the answer');
	await input.press('ArrowUp');
	assert.equal(await input.inputValue(), '6 * 7');
	await input.fill('');
	const port = await page.evaluate(async () => (await (await fetch('demo.json')).json()).find((/** @type {any} */ s) => s.name === 'silent').port);
	await input.fill(`con <- socketConnection("127.0.0.1", ${port}, blocking = TRUE, timeout = 600); readLines(con, 1)`);
	await input.press('Enter');
	await until(async () => (await page.locator('#streams li').allInnerTexts()).some((text) => text.includes(`:${port}`) && text.includes('open')), 'the silent socket in the list');
	await input.press('Control+c');
	await until(async () => (await page.locator('#console').getAttribute('data-state')) === 'ready', 'the prompt after Ctrl-C');
	await input.fill('close(con); "still here"');
	await input.press('Enter');
	await until(async () => (await transcript(page)).includes('[1] "still here"'), 'R after Ctrl-C');
});

test('no horizontal overflow at 1280 and 390 pixels, dark and light', async () => {
	for (const width of [1280, 390]) {
		for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 844 });
			assert.deepEqual(await overflow(), { by: 0, wide: [] }, `${width} px, ${colorScheme}`);
		}
	}
	await page.setViewportSize({ width: 1280, height: 900 });
});

test('all this without a request to anybody else, and without a complaint on the console', () => {
	assert.deepEqual(foreign, []);
	const complaints = page.lines.filter((line) => /^(error|uncaught)/.test(line));
	assert.deepEqual(complaints, []);
});
