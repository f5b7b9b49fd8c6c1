// Where the layer comes into a program, and what is said where it stays out.
// fixtures/emscripten/entry/entry.c prints whether it is in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite();
const FOLDER = '/fixtures/emscripten/entry';

/** Opens a page with these elements, and waits for what the program prints. @param {(parts: { tag: string, program: (name: string) => string }) => string} body */
async function printedBy(body) {
	const { ports } = world.targets;
	const args = JSON.stringify(['127.0.0.1', `${ports.refused}`]);
	const page = await world.newPage();
	world.site.pages.set('/entry.html', `<!doctype html><meta charset="utf-8"><title>entry</title><script>
		globalThis.printed = [];
		globalThis.Module = { arguments: ${args}, print: (line) => printed.push(line), printErr: (line) => printed.push(line) };
		</script>${body({
			tag: `<script src="${world.sockmux.origin}/sockmux.js"></script>`,
			program: (name) => `<script src="${FOLDER}/${name}.js"></script>`,
		})}`);
	await page.goto(`${world.site.origin}/entry.html`);
	const line = await until(async () => {
		const lines = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
		return lines.find((/** @type {string} */ text) => text.startsWith('LAYER')) ?? null;
	}, 'the program to print', 60_000);
	return { page, line };
}

/** What sockmux has said of programs without the layer. @param {import('./harness/suite.js').TestPage} page */
const said = (page) => page.lines.filter((line) => line.includes('runs without sockmux\'s layer'));

test('a program that is instantiated at once has the layer', async () => {
	const { page, line } = await printedBy(({ tag }) => `${tag}<script>
		// A page's thread fetches no wasm at once, so the program is given it.
		fetch('${FOLDER}/entry-sync.wasm').then((response) => response.arrayBuffer()).then((bytes) => {
			Module.wasmBinary = new Uint8Array(bytes);
			const element = document.createElement('script');
			element.src = '${FOLDER}/entry-sync.js';
			document.head.append(element);
		});
		</script>`);
	assert.equal(line, 'LAYER in', page.lines.join('\n'));
	assert.deepEqual(said(page), []);
	await page.context().close();
});

test('a worker that imports the script needs no setting', async () => {
	const { page, line } = await printedBy(() => `<script>
		const text = ${JSON.stringify(`self.Module = { arguments: ['127.0.0.1', '${world.targets.ports.refused}'], locateFile: (name) => '${world.site.origin}${FOLDER}/' + name,
			print: (line) => postMessage(line) }; importScripts('${world.sockmux.origin}/sockmux.js', '${world.site.origin}${FOLDER}/entry-sync.js');`)};
		new Worker(URL.createObjectURL(new Blob([text]))).onmessage = ({ data }) => printed.push(data);
		</script>`);
	assert.equal(line, 'LAYER in', page.lines.join('\n'));
	await page.context().close();
});

for (const [name, cause, body] of /** @type {[string, RegExp, Parameters<typeof printedBy>[0]][]} */ ([
	['the closure compiler', /closure compiler/, ({ tag, program }) => tag + program('entry-closure3')],
	['the closure compiler, at -O2', /closure compiler/, ({ tag, program }) => tag + program('entry-closure2')],
])) {
	test(`${name}: one line says that the layer is out, and why`, async () => {
		const { page, line } = await printedBy(body);
		assert.equal(line, 'LAYER out', page.lines.join('\n'));
		await until(async () => said(page).length > 0 || null, 'the line on the console', 30_000);
		assert.equal(said(page).length, 1);
		assert.match(said(page)[0], cause);
		await page.context().close();
	});
}
