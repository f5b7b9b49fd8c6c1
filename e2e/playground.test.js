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

/**
 * How far the page is wider than its window, and what sticks out of it. The console and
 * the row of examples scroll by themselves.
 */
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

/** Types a line and waits for R's next prompt. @param {string} line */
async function run(line) {
	const mark = `ran ${++runs}`;
	await page.locator('#input').fill(line);
	await page.locator('#input').press('Enter');
	await page.locator('#input').fill(`cat("ra", "n ${runs}\\n", sep = "")`);
	await page.locator('#input').press('Enter');
	await until(async () => (await transcript(page)).split('\n').includes(mark), `the end of ${line}`, 60_000);
}
let runs = 0;

/** Waits until the console shows a text. @param {RegExp} wanted */
const shows = (wanted) => until(async () => wanted.test(await transcript(page)), `${wanted} in the console`, 60_000);

/** The console's input and R at its prompt. */
const idle = () => until(async () => (await page.locator('#console').getAttribute('data-state')) === 'ready', 'R\'s prompt', 60_000);

describe('plots', () => {
	const plots = () => page.locator('#output canvas');
	/** How many pixels of a plot are neither white nor transparent. @param {number} index */
	const ink = (index) => plots().nth(index).evaluate((/** @type {HTMLCanvasElement} */ canvas) => {
		const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height);
		let dark = 0;
		for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && data[i] < 128) dark++;
		return dark;
	});

	test('base graphics appear in the output, each page as a figure of its own', async () => {
		await run('plot(1:10)');
		assert.equal(await plots().count(), 1);
		const before = await ink(0);
		assert.ok(before > 500, `${before} dark pixels`);
		await run('lines(1:10, lwd = 8)');
		assert.equal(await plots().count(), 1, 'the same page');
		assert.ok(await ink(0) > before + 500, 'the line was drawn into it');
		await run('hist(c(1, 2, 2, 3)); barplot(1:3)');
		assert.equal(await plots().count(), 3);
		await run('par(mfrow = c(1, 2)); plot(1); plot(2); dev.off()');
		assert.equal(await plots().count(), 4, 'two plots on one page');
		for (let i = 0; i < 4; i++) assert.ok(await ink(i) > 200, `plot ${i}`);
		assert.equal(await plots().nth(3).getAttribute('aria-label'), 'Plot 4');
	});

	test('an error leaves no figure, and the next plot works', async () => {
		await run('plot(1:3, 1:2)');
		await shows(/'x' and 'y' lengths differ/);
		assert.equal(await plots().count(), 4);
		await run('dev.new(); plot(3:1)');
		assert.equal(await plots().count(), 5);
	});

	test('Ctrl-C ends a loop that plots, and R goes on', async () => {
		await page.locator('#input').fill('for (i in 1:100000) plot(i)');
		await page.locator('#input').press('Enter');
		await until(async () => (await plots().count()) > 7, 'plots of the loop', 60_000);
		await page.locator('#input').press('Control+c');
		await idle();
		assert.ok(await plots().count() <= 20, 'old plots go');
		await run('"after the loop"');
		await shows(/\[1\] "after the loop"/);
	});

	test('after Clear the page goes on in a new figure', async () => {
		await run('dev.off(); plot(1:4)');
		await page.locator('#clear').click();
		assert.equal(await plots().count(), 0);
		await run('abline(h = 2, lwd = 5)');
		assert.equal(await plots().count(), 1);
		assert.ok(await ink(0) > 500);
	});
});

test('help() and ? show their text, file.show() too, whatever is in it', async () => {
	const pages = page.locator('#output figure.page');
	await run('help(mean)');
	assert.match(await pages.nth(0).innerText(), /R Help on ‘mean’[^]*Arithmetic Mean[^]*Usage:[^]*mean\(x, \.\.\.\)/);
	await run('?sd');
	assert.match(await pages.nth(1).innerText(), /Standard Deviation/);
	assert.ok(!(await pages.nth(1).innerText()).includes('\b'));
	await run('f <- tempfile(); writeLines(c("it\'s \\"quoted\\" \\\\", "ä €"), f); file.show(f, title = "it\'s a file", delete.file = TRUE); file.exists(f)');
	assert.match(await pages.nth(2).innerText(), /it's a file\s+it's "quoted" \\\s+ä €/);
	await shows(/\[1\] FALSE/);
	await run('?nothingofthisname');
	await shows(/No documentation for .nothingofthisname./);
});

test('View() shows a table', async () => {
	await run('View(data.frame(a = c(1.5, NA), b = c("x", "y"), row.names = c("one", "two")), "two rows")');
	const table = page.locator('#output figure.table').nth(0);
	assert.equal(await table.locator('figcaption').innerText(), 'two rows');
	assert.deepEqual(await table.locator('tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim()))), [['', 'a', 'b'], ['one', '1.5', 'x'], ['two', 'NA', 'y']]);
	await run('View(data.frame(n = 1:1000))');
	const long = page.locator('#output figure.table').nth(1);
	assert.equal(await long.locator('tbody tr').count(), 200);
	assert.match(await long.locator('figcaption').innerText(), /the first 200 of 1000 rows/);
	await run('View(1)');
	await run('View(mean)');
	await shows(/Error in as\.data\.frame\.default/);
});

test('text without a newline shows at once, not after the question behind it, and the line goes on', async () => {
	const atQuestion = page.evaluate(() => new Promise((resolve) => {
		const [prompt, output] = ['prompt', 'output'].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
		const observer = new MutationObserver(() => {
			if (!prompt.textContent?.startsWith('go?')) return;
			observer.disconnect();
			resolve(output.innerText);
		});
		observer.observe(prompt, { childList: true, characterData: true, subtree: true });
	}));
	await page.locator('#input').fill('cat("half "); invisible(readline("go? ")); cat("whole\\n")');
	await page.locator('#input').press('Enter');
	assert.match(await atQuestion, /^half $/m);
	await page.locator('#input').press('Enter');
	await shows(/^whole$/m);
	await page.locator('#input').fill('cat("first, "); cat("second é€"); message(" third", appendLF = FALSE); while (!file.exists("/tmp/go")) Sys.sleep(0.05); cat("fourth\\n")');
	await page.locator('#input').press('Enter');
	await shows(/^first, second é€$/m);
	await shows(/^ third$/m);
	await page.locator('#input').press('Control+c');
	await idle();
	await run('for (i in 1:3) cat("\\r", i, "of 3"); cat("\\n")');
	await shows(/^ 3 of 3$/m);
	await run('cat(strrep("ä", 5000), "end")');
	await shows(/^ä{5000} end$/m);
});

test('Shift+Enter makes a new line, Enter runs the block, the history gives it back; a paste runs its complete lines', async () => {
	const input = page.locator('#input');
	await input.fill('');
	await input.pressSequentially('f <- function(x) {');
	await input.press('Shift+Enter');
	await input.pressSequentially('x + 41');
	await input.press('Shift+Enter');
	await input.pressSequentially('}');
	const block = 'f <- function(x) {\nx + 41\n}';
	assert.equal(await input.inputValue(), block);
	assert.doesNotMatch(await transcript(page), /x \+ 41/);
	assert.ok(await input.evaluate((element) => element.getBoundingClientRect().height > 2.5 * parseFloat(getComputedStyle(element).lineHeight)), 'three rows');
	await input.press('Enter');
	await shows(/^\+ \}$/m);
	await input.press('ArrowUp');
	assert.equal(await input.inputValue(), block);
	await input.fill('');
	await input.evaluate((/** @type {HTMLTextAreaElement} */ element) => {
		element.focus();
		document.execCommand('insertText', false, 'f(1)\nf(2)\nf(3');
	});
	await shows(/^\[1\] 43$/m);
	assert.equal(await input.inputValue(), 'f(3');
	await input.fill('');
});

test('q() ends R and a new one starts; its sockets work', async () => {
	const port = await page.evaluate(async () => (await (await fetch('demo.json')).json()).find((/** @type {any} */ s) => s.name === 'echo').port);
	await run('kept <- 1');
	const input = page.locator('#input');
	await input.fill('q()');
	await input.press('Enter');
	await until(async () => (await page.locator('#prompt').innerText()).startsWith('Save workspace image?'), 'the question');
	await input.fill('c');
	await input.press('Enter');
	await idle();
	await run('kept');
	await shows(/\[1\] 1/);
	await input.fill('quit("no", status = 3)');
	await input.press('Enter');
	await shows(/R has ended with status 3\. A new one starts, with an empty workspace\./);
	await idle();
	await run('exists("kept")');
	await shows(/\[1\] FALSE/);
	await run(`con <- socketConnection("127.0.0.1", ${port}, open = "r+b", blocking = TRUE, timeout = 10); writeLines("again", con); readLines(con, 1); close(con)`);
	await shows(/\[1\] "again"/);
	await run('plot(1:2); help(q)');
	assert.ok(await page.locator('#output figure.plot').count() > 0);
	await shows(/Terminate an R Session/);
});

test('no horizontal overflow at 1280 and 390 pixels, dark and light', async () => {
	for (const width of [1280, 390]) {
		for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 844 });
			assert.deepEqual(await overflow(), { by: 0, wide: [] }, `${width} px, ${colorScheme}`);
			const screen = await page.locator('#screen').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
			assert.equal(screen, 0, `the console at ${width} px: plots, tables and help scroll by themselves`);
		}
	}
	await page.setViewportSize({ width: 1280, height: 900 });
});

test('all this without a request to anybody else, and without a complaint on the console', () => {
	assert.deepEqual(foreign, []);
	const complaints = page.lines.filter((line) => /^(error|uncaught)/.test(line));
	assert.deepEqual(complaints, []);
});
