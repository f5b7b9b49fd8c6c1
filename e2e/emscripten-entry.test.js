// Where the layer comes into a program, and what is said where it stays out.
// fixtures/emscripten/entry/entry.c prints whether it is in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite();
const FOLDER = '/fixtures/emscripten/entry';

/**
 * Opens a page with these elements, and waits for what the program prints.
 * @param {(parts: { tag: string, script: string, site: string, program: (name: string) => string }) => string} body
 * @param {(page: import('./harness/suite.js').TestPage) => unknown} [prepare]
 */
async function printedBy(body, prepare) {
	const { ports } = world.targets;
	const args = JSON.stringify(['127.0.0.1', `${ports.refused}`]);
	const page = await world.newPage();
	await prepare?.(page);
	const script = `${world.sockmux.origin}/sockmux.js`;
	world.site.pages.set('/entry.html', `<!doctype html><meta charset="utf-8"><title>entry</title><script>
		globalThis.printed = [];
		globalThis.Module = { arguments: ${args}, print: (line) => printed.push(line), printErr: (line) => printed.push(line) };
		</script>${body({
			tag: `<script src="${script}"></script>`,
			script,
			site: world.site.origin,
			program: (name) => `<script src="${FOLDER}/${name}.js"></script>`,
		})}`);
	await page.goto(`${world.site.origin}/entry.html`);
	const line = await until(async () => {
		const lines = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
		return lines.find((/** @type {string} */ text) => text.startsWith('LAYER')) ?? null;
	}, 'the program to print', 60_000);
	return { page, line };
}

/**
 * What sockmux has said of programs without the layer.
 * @param {import('./harness/suite.js').TestPage} page
 */
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

test('a page without such programs has no line', async () => {
	const page = await world.newPage();
	world.site.pages.set('/none.html', `<!doctype html><meta charset="utf-8"><title>none</title>
		<script src="${world.sockmux.origin}/sockmux.js"></script>`);
	await page.goto(`${world.site.origin}/none.html`);
	const ended = await page.evaluate(([port]) => new Promise((resolve) => {
		const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'binary');
		socket.onclose = () => resolve('closed');
	}), [world.targets.ports.refused]);
	assert.equal(ended, 'closed');
	assert.deepEqual(said(page), []);
	await page.context().close();
});

test('the closure compiler up to -O2: the layer is in, and all that a program does with a socket works', async () => {
	const { page, line } = await printedBy(({ tag, program }) => tag + program('entry-closure2'));
	assert.equal(line, 'LAYER in', page.lines.join('\n'));
	assert.deepEqual(said(page), []);
	await page.context().close();
});

test('the closure compiler: each call of a program on its socket', async () => {
	const page = await world.newPage();
	world.site.pages.set('/closed.html', `<!doctype html><meta charset="utf-8"><title>closed</title><script>
		globalThis.printed = [];
		globalThis.Module = { arguments: ['localhost', '${world.targets.ports.echo}'], print: (line) => printed.push(line) };
		</script><script src="${world.sockmux.origin}/sockmux.js"></script><script src="${FOLDER}/closed.js"></script>`);
	await page.goto(`${world.site.origin}/closed.html`);
	const lines = await until(async () => {
		const printed = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
		return printed.includes('CLOSED end') ? printed : null;
	}, 'the program to end', 60_000);
	// As natively.
	assert.deepEqual(lines.map((/** @type {string} */ text) => text.replace('CLOSED ', '')), [
		'poll 2 0 1', 'flags 1', 'name 0 16 1', 'peer 0 1', 'sendmsg 8', 'fionread 8', 'select 1', 'recvmsg 8 abc defgh',
		'writev 8', 'read 8 abcdefgh', 'none -1', 'close 0 -1', 'end',
	]);
	assert.deepEqual(said(page), []);
	await page.context().close();
});

/** The program is instantiated before the script element of sockmux, and connects after it. */
const WAITS = `<script>
	Module.instantiateWasm = (imports, done) => {
		fetch('${FOLDER}/entry-late.wasm').then((response) => response.arrayBuffer()).then((bytes) => WebAssembly.instantiate(bytes, imports))
			.then(({ instance, module }) => {
				const element = document.createElement('script');
				element.src = 'SOCKMUX';
				element.onload = () => done(instance, module);
				document.head.append(element);
			});
		return {};
	};
	</script>`;

for (const [name, cause, body, prepare] of /** @type {[string, RegExp, Parameters<typeof printedBy>[0], Parameters<typeof printedBy>[1]?][]} */ ([
	['the closure compiler at -O3', /closure compiler.*-O2/, ({ tag, program }) => tag + program('entry-closure3')],
	['-sWASM=0', /without WebAssembly.*-sWASM=1/, ({ tag, program }) => tag + program('entry-wasm0')],
	['a tag after the program', /started before sockmux.*before the program's/, ({ program, script }) => WAITS.replace('SOCKMUX', script) + program('entry-late')],
	['a part that the server does not give', /sockmux-sockfs-\w+\.js could not be loaded: serve it/, ({ tag, program }) => tag + program('entry-late'),
		(page) => page.route(/sockmux-sockfs-/, (route) => route.fulfill({ status: 404 }))],
	['a part that the policy forbids', /sockmux-sockfs-\w+\.js could not be loaded: .*Content-Security-Policy/, ({ tag, program, script, site }) => `
		<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline' 'wasm-unsafe-eval' ${site} ${script}">${tag}${program('entry-late')}`],
])) {
	test(`${name}: one line says that the layer is out, why, and what helps`, async () => {
		const { page, line } = await printedBy(body, prepare);
		assert.equal(line, 'LAYER out', page.lines.join('\n'));
		await until(async () => said(page).length > 0 || null, 'the line on the console', 30_000);
		assert.equal(said(page).length, 1);
		assert.match(said(page)[0], cause);
		await page.context().close();
	});
}

test('a program without wasm replaces WebAssembly, and its sockets still go through the tunnel', async () => {
	const { page } = await printedBy(({ tag, program }) => tag + program('entry-wasm0'));
	await until(() => page.lines.some((line) => line.includes('the target refused the connection')), 'the target\'s answer', 30_000);
	assert.deepEqual(page.lines.filter((line) => line.includes('could not be started')), []);
	await page.context().close();
});
