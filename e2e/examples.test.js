// The pages of examples/, served as their README says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExamples } from './harness/examples.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';

const world = suite();

test('the pages of the examples do what they say', async () => {
	const pages = await startExamples();
	world.alsoStop(pages);
	const sockmux = await startSockmux(['--demo', '--allow-origin', pages.origin]);
	world.alsoStop(sockmux);
	const page = await world.newPage();
	const open = async (/** @type {string} */ name, /** @type {RegExp} */ wanted) => {
		await page.goto(`${pages.url}${name}/?server=${encodeURIComponent(`${sockmux.origin}/`)}`);
		const out = page.locator('#out', { hasText: wanted });
		await out.waitFor();
		return out.textContent();
	};
	assert.match(await open('webr', /MIT/) ?? '', /real TCP sockets/);
	const text = await open('connect', /denied/) ?? '';
	assert.match(text, /connected to 127\.0\.0\.1 port \d+/);
	assert.match(text, /200 OK/);
	assert.match(text, /^refused: /m);
	assert.equal(await page.locator('#state').textContent(), 'open');
});
