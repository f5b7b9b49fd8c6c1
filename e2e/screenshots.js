// Takes the README's pictures of the playground: node screenshots.js OUTDIR

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { launch } from './harness/chromium.js';
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
try {
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
} finally {
	await browser.close();
	await server.stop();
}
