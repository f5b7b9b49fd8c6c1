// C programs by plain Emscripten in the page's thread: sockets.c, built four ways
// (fixtures/emscripten), on non-blocking sockets.
//
// What these builds cannot do is in docs/EMSCRIPTEN.md: 3.1.6 compiles shutdown() in as a
// stub, and a program that neither suspends nor has threads cannot block.
// emscripten-cases.test.js has more programs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const CASES = ['echo', 'end of stream', 'refused', 'denied', 'half-close', 'reset', 'back-pressure'];

/** Programs and how their layer gets hold of them. @type {[program: string, title: string][]} */
const PROGRAMS = [
	['mainloop', 'a main loop in the page\'s thread'],
	['asyncify', 'ASYNCIFY, with emscripten_sleep()'],
	['pthread', 'main() in a pthread, socket calls proxied to the page\'s thread'],
	['modular', 'MODULARIZE: nothing of the program is global'],
];

const world = suite({ flags: () => ['--demo'] });

for (const [program, title] of PROGRAMS) {
	describe(`${program}: ${title}`, () => {
		/** @type {string[]} */
		let printed = [];
		/** @type {import('./harness/suite.js').TestPage} */
		let page;

		test('runs to its end', async () => {
			const { ports, seen } = world.targets;
			seen.halfclose.length = 0;
			page = await world.newPage();
			await page.goto(`${world.site.origin}/emscripten.html`);
			const args = ['demo.test', ...[ports.echo, ports.lines, ports.halfclose, ports.reset, ports.refused, ports.denied].map(String)];
			await page.evaluate(([p, a]) => /** @type {any} */ (globalThis).run(p, a), /** @type {const} */ ([program, args]));
			printed = await until(async () => {
				const lines = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
				return lines.some((/** @type {string} */ line) => line.startsWith('DONE')) ? lines : null;
			}, `${program} to be done`, 60_000).catch(async (error) => {
				throw new Error(`${error.message}; printed: ${(await page.evaluate(() => /** @type {any} */ (globalThis).printed)).join(' | ')}`);
			});
		});

		for (const name of CASES) {
			test(name, () => {
				const line = printed.find((text) => text === `PASS ${name}` || text.startsWith(`FAIL ${name}`));
				assert.equal(line, `PASS ${name}`, printed.join('\n'));
			});
		}

		test('what it wrote after the peer\'s FIN has arrived', async () => {
			await until(() => Buffer.concat(world.targets.seen.halfclose).toString() === 'still here\n', 'the line after the half-close');
		});

		test('all in one WebSocket', async () => {
			assert.equal(page.carriers.length, 1, page.carriers.join(' '));
			await page.context().close();
		});
	});
}
