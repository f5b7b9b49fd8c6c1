// The status page of the operators' listener, as an operator sees it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const world = suite({ flags: () => ['--demo', '--admin', '127.0.0.1:0'] });

/**
 * Where the operators of a server look.
 * @param {{ logs: string[] }} sockmux
 */
function adminOf({ logs }) {
	for (const line of logs) {
		const found = /"listening for operators".*"address":"([^"]+)"/.exec(line);
		if (found) return `http://${found[1]}`;
	}
	throw new Error(`no operators' listener in the log:\n${logs.join('\n')}`);
}

/** @param {import('playwright-core').BrowserContextOptions} [options] */
async function openStatus(options = WIDE) {
	const page = await world.newPage(options);
	await page.goto(`${adminOf(world.sockmux)}/`);
	await page.locator('#state[data-state="good"]').waitFor();
	return page;
}

/**
 * A page of the user's with sockets to these services; each is open, or has been refused,
 * when this returns.
 * @param {string[]} services  names, or HOST/NAME where the host is not 127.0.0.1
 */
async function openUser(...services) {
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/bare.html`);
	await page.evaluate((targets) => Promise.all(targets.map(([host, name, port]) => new Promise((resolve) => {
		const socket = new WebSocket(`ws://${host}:${port}/`, ['binary']);
		socket.binaryType = 'arraybuffer';
		socket.onopen = socket.onerror = resolve;
		/** @type {any} */ (globalThis).sockets ??= {};
		/** @type {any} */ (globalThis).sockets[name] = socket;
	}))), services.map((service) => {
		const [name, host = '127.0.0.1'] = service.split('/').reverse();
		return [host, name, world.targets.ports[name]];
	}));
	return page;
}

/**
 * Sends bytes through a socket of openUser and waits until as many have come back.
 * @param {import('playwright-core').Page} page
 * @param {number} bytes
 */
async function echo(page, bytes) {
	await page.evaluate((size) => new Promise((resolve) => {
		const socket = /** @type {any} */ (globalThis).sockets.echo;
		let left = size;
		socket.onmessage = (/** @type {MessageEvent} */ { data }) => {
			left -= data.byteLength;
			if (left <= 0) resolve(undefined);
		};
		socket.send(new Uint8Array(size));
	}), bytes);
}

test('sessions, sockets, bytes, refusals and the snippet are shown as they are', async () => {
	const status = await openStatus();
	await status.locator('#lives-empty').getByText('No page is connected').waitFor();
	const user = await openUser('echo', 'silent', 'denied');
	await echo(user, 50_000);

	const row = status.locator('tr.stream', { hasText: `127.0.0.1:${world.targets.ports.echo}` });
	await row.locator('td.what', { hasText: 'open' }).waitFor();
	await row.locator('td[data-name="To target"]', { hasText: '50.0 kB' }).waitFor();
	await row.locator('td[data-name="To page"]', { hasText: '50.0 kB' }).waitFor();
	assert.match(await row.locator('td[data-name="Connected in"]').innerText(), /^\d.* m?s$/);
	await status.locator('#streams', { hasText: /^2$/ }).waitFor();
	await status.locator('tr.session', { hasText: '2 sockets' }).waitFor();
	await status.locator('#sessions', { hasText: /^1$/ }).waitFor();

	const reason = status.locator('#reasons li', { hasText: 'stream: denied' });
	assert.match(await reason.innerText(), /the policy forbids the target/);
	assert.match(await status.locator('#recent li').first().innerText(), new RegExp(`127.0.0.1:${world.targets.ports.denied}`));
	assert.equal(await status.locator('#snippet').innerText(), `<script src="${world.sockmux.origin}/sockmux.js"></script>`);
	await status.locator('#down', { hasText: /kB\/s|B\/s/ }).waitFor();

	await user.close();
	await status.locator('#ends li').first().waitFor();
	// Everything came from the server itself, and its policy forbade nothing that the page needs.
	assert.deepEqual(status.lines, []);
});

test('the plot tells people and screen readers the same', async () => {
	const status = await openStatus();
	const user = await openUser('echo');
	await echo(user, 1_000_000);
	const text = () => status.locator('#chart-text').textContent();
	await until(async () => /at most [\d.]+ kB a second to pages/.test(await text() ?? ''), 'traffic in the text of the plot');
	const area = await status.locator('#chart path.down').getAttribute('d') ?? '';
	const heights = [...area.matchAll(/L[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
	assert.ok(Math.min(...heights) < 60, `the area reaches up to ${Math.min(...heights)} of 100`);
	await status.getByRole('button', { name: '2 min' }).click();
	await until(async () => (await text() ?? '').startsWith('Over the last 2 minutes'), 'the shorter time');
	await status.locator('.chart').hover({ position: { x: 600, y: 60 } });
	assert.match(await status.locator('#readout').innerText(), /^\d\d:\d\d:\d\d\s+.*\/s to pages/);
	await user.close();
});

test('a line is found by its target, its session or its peer', async () => {
	const status = await openStatus();
	const user = await openUser('echo', 'silent');
	await status.locator('tr.stream').nth(1).waitFor();
	await status.getByRole('searchbox').fill(`:${world.targets.ports.silent}`);
	assert.deepEqual(await status.locator('tr.stream th span').allInnerTexts(), [`127.0.0.1:${world.targets.ports.silent}`]);
	const id = await status.locator('tr.session code').first().innerText();
	await status.getByRole('searchbox').fill(id);
	assert.equal(await status.locator('tr.stream').count(), 2);
	await status.getByRole('searchbox').fill('nothing has this');
	await status.getByText('No session and no socket contains that.').waitFor();
	await user.close();
});

test('a row stays the same element while its figures change', async () => {
	const status = await openStatus();
	const user = await openUser('echo');
	const port = world.targets.ports.echo;
	const row = await status.locator('tr.stream', { hasText: `:${port}` }).elementHandle();
	await echo(user, 1000);
	await status.locator('tr.stream td[data-name="To page"]', { hasText: '1.00 kB' }).waitFor();
	const same = await status.evaluate(([known, text]) => [...document.querySelectorAll('tr.stream')].find((one) => one.textContent?.includes(/** @type {string} */ (text))) === known, /** @type {const} */ ([row, `:${port}`]));
	assert.ok(same);
	await user.close();
});

for (const [name, options] of Object.entries({ wide: WIDE, narrow: NARROW })) {
	test(`nothing is cut off on a ${name} screen`, async () => {
		const user = await openUser('echo', 'silent', 'denied');
		const status = await openStatus(options);
		await status.locator('tr.stream').first().waitFor();
		const { page, over } = await status.evaluate(() => ({
			page: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
			over: [...document.querySelectorAll('main :not(thead, thead *)')].filter((element) => {
				const box = element.getBoundingClientRect();
				return box.width > 1 && box.right > innerWidth + 1;
			}).map((element) => element.outerHTML.slice(0, 80)),
		}));
		assert.equal(page[0], page[1]);
		assert.deepEqual(over, []);
		await user.close();
	});
}

test('colors follow the system and the button, and every text can be read', async () => {
	for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
		const status = await openStatus({ ...WIDE, colorScheme });
		const theme = () => status.evaluate(() => document.documentElement.dataset.theme);
		assert.equal(await theme(), colorScheme);
		const worst = await status.evaluate(() => {
			const style = getComputedStyle(document.documentElement);
			const luminance = (/** @type {string} */ name) => {
				const hex = style.getPropertyValue(name).trim().slice(1);
				const [r, g, b] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
				return 0.2126 * r + 0.7152 * g + 0.0722 * b; // WCAG 2.2, relative luminance
			};
			const pairs = ['--ink', '--soft', '--accent', '--good', '--wait', '--bad'].flatMap((ink) => ['--paper', '--card', '--sunk'].map((paper) => [ink, paper]));
			return pairs.map(([ink, paper]) => {
				const [light, dark] = [luminance(ink), luminance(paper)].sort((a, b) => b - a);
				return { ink, paper, ratio: (light + 0.05) / (dark + 0.05) };
			}).sort((a, b) => a.ratio - b.ratio)[0];
		});
		assert.ok(worst.ratio >= 4.5, `${worst.ink} on ${worst.paper} has a contrast of ${worst.ratio.toFixed(2)}`);
		await status.getByRole('button', { name: 'Dark colors' }).click();
		assert.notEqual(await theme(), colorScheme);
		await status.reload();
		assert.notEqual(await theme(), colorScheme);
	}
});

test('all of it can be reached with the keyboard and has a name', async () => {
	const status = await openStatus();
	/** @type {string[]} */
	const reached = [];
	for (let i = 0; i < 12; i++) {
		await status.keyboard.press('Tab');
		reached.push(await status.evaluate(() => {
			const element = /** @type {HTMLElement} */ (document.activeElement);
			return element.getAttribute('aria-label') ?? document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent ?? element.closest('label')?.textContent?.trim() ?? element.textContent?.trim() ?? '';
		}));
	}
	for (const name of ['Skip to the sockets', 'Dark colors', '2 min', '10 min', 'Show only lines that contain', 'Copy', 'Metrics']) {
		assert.ok(reached.includes(name), `${name} is not among ${reached.join(', ')}`);
	}
	assert.ok(!reached.includes(''), `something without a name: ${reached.join(', ')}`);
});

test('the snippet is copied', async () => {
	const status = await openStatus();
	await status.context().grantPermissions(['clipboard-read', 'clipboard-write']);
	await status.getByRole('button', { name: 'Copy' }).click();
	await status.getByRole('button', { name: 'Copied' }).waitFor();
	assert.equal(await status.evaluate(() => navigator.clipboard.readText()), await status.locator('#snippet').innerText());
});

test('a server that drains says so, and one that is gone is not shown as if it were there', async () => {
	const own = await startSockmux(['--admin', '127.0.0.1:0', '--allow-origin', world.site.origin, '--allow', `127.0.0.1:${world.targets.ports.silent}`, '--drain-timeout', '3s']);
	world.alsoStop(own);
	const status = await world.newPage(WIDE);
	await status.goto(`${adminOf(own)}/`);
	await status.locator('#state[data-state="good"]').waitFor();
	const user = await world.newPage();
	await user.goto(`${world.site.origin}/plain.html`);
	await user.addScriptTag({ url: `${own.origin}/sockmux.js` });
	await user.evaluate((port) => new Promise((resolve) => {
		new WebSocket(`ws://127.0.0.1:${port}/`, ['binary']).onopen = resolve;
	}), world.targets.ports.silent);
	own.signal('SIGTERM'); // the socket keeps it from ending for three seconds
	await status.locator('#state[data-state="wait"]', { hasText: 'draining' }).waitFor();
	await status.locator('#state[data-state="bad"]', { hasText: 'no answer since' }).waitFor();
});

test('another site can neither read the figures nor start a profile', async () => {
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/plain.html`);
	const admin = adminOf(world.sockmux);
	for (const path of ['/status.json', '/metrics', '/debug/pprof/profile?seconds=1']) {
		const outcome = await page.evaluate((url) => fetch(url).then(() => 'read', () => 'refused'), admin + path);
		assert.equal(outcome, 'refused', path);
		const opaque = await fetch(admin + path, { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' } });
		assert.equal(opaque.status, 403, path);
	}
});

// SCREENSHOTS=FOLDER also takes the pictures of the documentation.
if (process.env.SCREENSHOTS) {
	test('pictures', { timeout: 240_000 }, async () => {
		const users = await Promise.all([openUser('h1.test/echo', 'silent', 'demo.test/drip'), openUser('demo.test/echo', 'h7.test/slow'), openUser('h2.test/echo', 'demo.test/silent')]);
		const began = Date.now();
		for (let i = 0; Date.now() - began < 110_000; i++) {
			const size = 20_000 + 260_000 * (1 + Math.sin(i / 9)) ** 2;
			await Promise.all(users.map((user, n) => echo(user, Math.round(size / (n + 1)))));
			if (i % 40 === 0) await (await openUser('denied', 'refused', 'h7.test/line')).close();
			if (i % 90 === 0) await fetch(`${world.sockmux.origin}/v1/connect`, { headers: { Origin: 'https://elsewhere.example' } });
			if (i % 120 === 0) await fetch(`${world.sockmux.origin}/v1/connect`);
			await new Promise((resolve) => {
				setTimeout(resolve, 350);
			});
		}
		for (const [name, options] of Object.entries({ 'status-1280': WIDE, 'status-390': NARROW })) {
			const status = await openStatus(options);
			await status.getByRole('button', { name: '2 min' }).click();
			await status.locator('tr.stream').first().waitFor();
			await status.screenshot({ path: join(/** @type {string} */ (process.env.SCREENSHOTS), `${name}.png`), fullPage: true });
		}
		for (const user of users) await user.close();
	});
}
