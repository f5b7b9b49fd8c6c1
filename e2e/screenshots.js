// Takes the README's pictures of the playground, of the SSH terminal and of the server in R: node screenshots.js OUTDIR

import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from './harness/chromium.js';
import { startExamples, startSshd } from './harness/examples.js';
import { openPlayground } from './harness/playground.js';
import { startSockmux, WEBR_DIST } from './harness/sockmux.js';
import { until } from './harness/until.js';

/** @type {{ name: string, width: number, height: number, snippets: string[], wanted: RegExp }[]} */
const PICTURES = [
	{ name: 'playground-1280', width: 1280, height: 900, snippets: ['Forty at once', 'Ten megabytes', 'Errors told apart'], wanted: /nobody\.onion port 80 -> / },
	{ name: 'playground-390', width: 390, height: 844, snippets: ['Forty at once', 'A line protocol'], wanted: /real TCP sockets for programs in a web page/ },
];

const out = process.argv[2];
if (!out) {
	console.error('usage: node screenshots.js OUTDIR');
	process.exit(2);
}
await mkdir(out, { recursive: true });
const server = await startSockmux(['--demo', '--webr', WEBR_DIST]);
const browser = await launch();

/** A shell of OpenSSH's server, with some colors. */
async function takeTerminal() {
	const keys = await mkdtemp(join(tmpdir(), 'sockmux-ssh-'));
	const pages = await startExamples();
	const sshd = await startSshd(keys);
	const tunnel = await startSockmux(['--allow-origin', pages.origin, '--allow', `127.0.0.1:${sshd.port}`]);
	try {
		const page = await (await browser.newContext({ viewport: { width: 1100, height: 560 }, colorScheme: 'light' })).newPage();
		await page.goto(`${pages.url}ssh-terminal/?server=${encodeURIComponent(`${tunnel.origin}/`)}&host=127.0.0.1&port=${sshd.port}&user=${sshd.user}`);
		await page.getByText('Private key').first().click();
		await page.locator('[name=key]').fill(await readFile(join(keys, 'user'), 'utf8'));
		await page.locator('#connect').click();
		await page.locator('#trust').click();
		const screen = page.locator('.xterm-rows');
		const type = async (/** @type {string} */ line, /** @type {RegExp} */ wanted) => {
			await page.keyboard.type(`${line}\n`);
			await until(async () => wanted.test(await screen.innerText()), `${wanted} on the screen`);
		};
		await until(async () => /[$#%>]\s*$/.test(await screen.innerText()), 'a prompt');
		await type('PS1="\\[\\e[36m\\]alice@db\\[\\e[0m\\]:~$ "; cd /usr; clear', /^alice@db:~\$\s*$/);
		await type('uname -s; stty size', /\d+ \d+/);
		await type('ls -l --color=always -d /usr/*', /src/);
		await type("for i in 1 2 3 4 5 6; do printf '\\e[3%sm color \\e[9%sm bright \\e[0m' $i $i; done; echo", /( color\s+bright\s+){6}/);
		await page.locator('#place').evaluate((element) => { element.textContent = 'alice@db.example.org:22 \u00b7 SSH-2.0-OpenSSH'; });
		await page.screenshot({ path: join(out, 'ssh-terminal.png'), animations: 'disabled' });
	} finally {
		for (const part of [tunnel, sshd, pages]) await part.stop();
		await rm(keys, { recursive: true });
	}
}

/** A web server in R, as curl has asked it. */
async function takeServer() {
	const pages = await startExamples();
	const tunnel = await startSockmux(['--allow-origin', pages.origin, '--allow-listen', '127.0.0.1:8080']);
	try {
		for (const [width, height] of [[1280, 800], [390, 844]]) {
			const page = await (await browser.newContext({ viewport: { width, height }, colorScheme: 'light' })).newPage();
			await page.goto(`${pages.url}r-server/?server=${encodeURIComponent(`${tunnel.origin}/`)}`);
			await page.locator('#state.on').waitFor();
			const ask = (/** @type {string} */ path, /** @type {RequestInit} */ options = {}) => fetch(`http://127.0.0.1:8080${path}`, { ...options, headers: { connection: 'close' } });
			for (const path of ['/', '/plot.svg', '/plot.png?n=2000', '/summary.json?n=100', '/nothing']) await ask(path);
			await ask('/mean', { method: 'POST', body: new URLSearchParams({ x: '1 2 3 10' }) });
			await page.locator('#log', { hasText: 'POST' }).waitFor();
			await page.screenshot({ path: join(out, `r-server-${width}.png`), animations: 'disabled' });
			if (width === 1280) {
				const served = await (await browser.newContext({ viewport: { width, height }, colorScheme: 'light' })).newPage();
				await served.goto('http://127.0.0.1:8080/', { waitUntil: 'networkidle' });
				await served.screenshot({ path: join(out, 'r-server-answer.png'), animations: 'disabled' });
			}
			await page.context().close();
		}
	} finally {
		for (const part of [tunnel, pages]) await part.stop();
	}
}

try {
	await takeServer();
	for (const { name, width, height, snippets, wanted } of PICTURES) {
		const context = await browser.newContext({ viewport: { width, height }, colorScheme: 'light' });
		const page = await context.newPage();
		await openPlayground(page, server.origin);
		for (const title of snippets) await page.locator('#snippets button', { hasText: title }).click();
		await until(async () => wanted.test(await page.locator('#output').innerText()), `the examples of ${name}`, 60_000);
		await until(() => page.evaluate(() => document.getElementById('console')?.dataset.state === 'ready'), 'R\'s prompt');
		await page.evaluate(() => scrollTo(0, 0));
		const path = join(out, `${name}.png`);
		await page.screenshot({ path, fullPage: true, animations: 'disabled', caret: 'hide' });
		console.log(`${path}: ${width} pixels wide, ${Math.round((await stat(path)).size / 1000)} kB`);
		await context.close();
	}
	await takeTerminal();
} finally {
	await browser.close();
	await server.stop();
}
