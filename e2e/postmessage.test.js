// A page that is not cross-origin isolated: webR has only its PostMessage channel, in
// which R cannot wait. The page is told so, clearly, and stays usable.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;

const world = suite({
	site: { isolated: false },
	async ready({ site, newPage }) {
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page, { channel: 'PostMessage' });
	},
});

test('the console says once what to change', () => {
	const said = page.lines.filter((line) => line.includes('cross-origin isolated'));
	assert.equal(said.length, 1, page.lines.join('\n'));
	assert.match(said[0], /Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp.*coi-serviceworker/);
});

test('attach() fails with the same words', async () => {
	const message = await page.evaluate(() => {
		const { sockmux, webR } = /** @type {any} */ (globalThis);
		return sockmux.attach(webR).then(() => 'attached', (/** @type {Error} */ error) => error.message);
	});
	assert.match(message, /^attach: this page is not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/);
});

test('R itself works as before', async () => {
	assert.equal(await r.evalR('sum(1:100)'), 5050);
});

test('what needs no waiting works all the same: the facade, and connect()', async () => {
	const answers = await page.evaluate(async (port) => {
		const { sockmux } = /** @type {any} */ (globalThis);
		const socket = sockmux.connect('127.0.0.1', port);
		const text = await new Response(socket.readable).text();
		socket.close();
		const facade = await new Promise((resolve) => {
			const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'binary');
			ws.onmessage = async ({ data }) => resolve(await data.text());
		});
		return { isolated: globalThis.crossOriginIsolated, text, facade };
	}, world.targets.ports.line);
	assert.deepEqual(answers, { isolated: false, text: 'one line\n', facade: 'one line\n' });
});
