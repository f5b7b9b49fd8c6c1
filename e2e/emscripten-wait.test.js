// Sockets that block, in programs whose stack can wait: JSPI (Emscripten 6.x), and ASYNCIFY
// where the program was linked with the js-library. fixtures/emscripten/entry/blocking.c.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** Programs, and how they are loaded. @type {[program: string, title: string][]} */
const PROGRAMS = [
	['jspi.js', 'JSPI'],
	['asyncify6.js', 'ASYNCIFY of Emscripten 6, with the js-library'],
	['asyncify3.js', 'ASYNCIFY of Emscripten 3, with the js-library'],
];

const world = suite({ flags: ({ targets }) => ['--allow', `[::1]:${targets.ports.refused}`] });
const FOLDER = '/fixtures/emscripten/entry';

/** @param {string} program @param {string[]} args */
const pageOf = (program, args) => `<!doctype html><meta charset="utf-8"><title>${program}</title>
<script src="${world.sockmux.origin}/sockmux.js"></script>
<script>
	globalThis.printed = [];
	const print = (line) => printed.push(line);
	globalThis.Module = { arguments: ${JSON.stringify(args)}, print, printErr: print, onAbort: (why) => print('ABORT ' + why) };
</script>
${program.endsWith('.mjs')
		? `<script type="module">import create from '${FOLDER}/${program}'; globalThis.Module = await create(Module);</script>`
		: `<script src="${FOLDER}/${program}"></script>`}`;

/** @param {string} program */
async function run(program) {
	const { ports } = world.targets;
	const args = ['127.0.0.1', ...[ports.echo, ports.slow, ports.silent, ports.drip, ports.refused].map(String)];
	const page = await world.newPage();
	world.site.pages.set('/blocking.html', pageOf(program, args));
	await page.goto(`${world.site.origin}/blocking.html`);
	const printed = () => page.evaluate(() => /** @type {any} */ (globalThis).printed);
	const lines = await until(async () => {
		const now = await printed();
		return now.some((/** @type {string} */ line) => /^(DONE|ABORT)/.test(line)) ? now : null;
	}, `${program} to be done`, 60_000).catch(async (error) => {
		throw new Error(`${error.message}; printed: ${(await printed()).join(' | ')}; console: ${page.lines.join(' | ')}`);
	});
	return { page, lines };
}

for (const [program, title] of PROGRAMS) {
	describe(title, () => {
		test('calls wait where the stack can, and are as plain elsewhere', async () => {
			const { page, lines } = await run(program);
			assert.deepEqual(lines.filter((/** @type {string} */ line) => !line.startsWith('PASS')), ['DONE'], lines.join('\n'));
			assert.ok(lines.length > 6);
			await page.context().close();
		});
	});
}

test('JSPI: two stacks wait at once', async () => {
	const { page } = await run('jspi.js');
	const talked = await page.evaluate(() => Promise.all([0, 1, 2].map((number) => /** @type {any} */ (globalThis).Module._talk(number))));
	assert.deepEqual(talked, [0, 1, 2]);
	await page.context().close();
});
