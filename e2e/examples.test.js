// The pages of examples/, served as their README says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';

const SERVE = fileURLToPath(new URL('../examples/serve.mjs', import.meta.url));
const world = suite();

/** Starts the examples' own server on a free port. */
async function startExamples() {
	const child = spawn(process.execPath, [SERVE, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
	const exited = new Promise((resolve) => { child.once('exit', resolve); });
	world.alsoStop({ stop: async () => void (child.kill(), await exited) });
	const [line] = await child.stdout.setEncoding('utf8').take(1).toArray();
	return line.trim();
}

test('the pages of the examples do what they say', async () => {
	const pages = await startExamples();
	const sockmux = await startSockmux(['--demo', '--allow-origin', new URL(pages).origin]);
	world.alsoStop(sockmux);
	const page = await world.newPage();
	const open = async (/** @type {string} */ name, /** @type {RegExp} */ wanted) => {
		await page.goto(`${pages}${name}/?server=${encodeURIComponent(`${sockmux.origin}/`)}`);
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
