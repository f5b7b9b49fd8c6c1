// The playground as a visitor uses it.

import { until } from './until.js';

const READY_MS = 90_000;

/** @typedef {import('playwright-core').Page} Page */

/** Waits for R's prompt with nothing left to run. @param {Page} page */
const ready = (page) => until(() => page.evaluate(() => document.getElementById('console')?.dataset.state === 'ready'), 'R\'s prompt', READY_MS);

/** What the console shows. @param {Page} page */
export const transcript = (page) => page.locator('#output').innerText();

/**
 * @param {Page} page
 * @param {string} origin  of the server
 */
export async function openPlayground(page, origin) {
	await page.goto(`${origin}/`);
	await ready(page);
	await page.waitForFunction(() => document.querySelector('#snippets button:not([disabled])') !== null);
}

/**
 * Clicks an example and gives what it printed. The last line that runs is one of ours:
 * when its answer is there, so is the rest.
 * @param {Page} page
 * @param {string} title
 */
export async function runSnippet(page, title) {
	const before = (await transcript(page)).length;
	await page.locator('#snippets button', { hasText: title }).click();
	const mark = `done ${before}`;
	await page.locator('#input').fill(`cat("do", "ne ${before}\\n", sep = "")`);
	await page.locator('#input').press('Enter');
	await until(async () => (await transcript(page)).split('\n').includes(mark), `the end of "${title}"`, 60_000);
	return (await transcript(page)).slice(before);
}
