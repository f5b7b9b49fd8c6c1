// C programs whose sockets are used by threads: threads.c (fixtures/pthreads), built four
// ways. What they print is compared with what the same program prints natively, line by
// line.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** In the order of the program's arguments. */
const SERVICES = ['echo', 'lines', 'slow', 'silent', 'deaf', 'halfclose', 'reset', 'upload', 'refused'];

/** @type {[program: string, title: string][]} */
const PROGRAMS = [
	['proxied', 'main() in a thread, Emscripten 6'],
	['modular', 'the same as a module: nothing of the program is global'],
	['page', 'main() in the page\'s thread, sockets in another'],
	['older', 'main() in a thread, Emscripten 3.1.6'],
];

/**
 * What emcc 3.1.6 compiles into the program fails, and no script can reach it:
 * shutdown(), setsockopt(), most of getsockopt().
 * @type {Record<string, Record<string, string[]>>}
 */
const DIFFERENT = {
	older: {
		rcvtimeo: ['timeout -1 ENOPROTOOPT'],
		sndtimeo: ['timeout -1 ENOPROTOOPT'],
		halfclose: ['recv 9', 'end 0', 'send 11', 'shutdown -1 ENOSYS', 'after 1'],
		options: [
			'type 1', 'nodelay -1 ENOPROTOOPT', 'keepalive -1 ENOPROTOOPT', 'idle -1 ENOPROTOOPT', 'unknown -1 ENOPROTOOPT', 'connect 0',
			'nodelay 0', 'keepalive 0', 'idle 7200', 'error 0',
		],
		woken: ['recv 5'],
		files: ['printed 5', 'read 5', 'pipe 0', 'write 2', 'read 2', 'closed -1 ENOSYS'],
	},
};

const expected = (await readFile(new URL('fixtures/pthreads/expected.txt', import.meta.url), 'utf8')).trim().split('\n');
const CASES = [...new Set(expected.slice(0, -1).map((line) => line.split(':')[0]))];

/** @param {string[]} lines @param {string} name */
const linesOf = (lines, name) => lines.filter((line) => line.startsWith(`${name}: `));

const world = suite();

for (const [program, title] of PROGRAMS) {
	describe(`${program}: ${title}`, () => {
		/** @type {string[]} */
		let printed = [];
		/** @type {import('./harness/suite.js').TestPage} */
		let page;

		test('runs to its end', async () => {
			page = await world.newPage();
			await page.goto(`${world.site.origin}/pthreads.html`);
			const args = SERVICES.map((name) => String(world.targets.ports[name]));
			await page.evaluate(([p, a]) => /** @type {any} */ (globalThis).run(p, a), /** @type {const} */ ([program, args]));
			const lines = () => page.evaluate(() => /** @type {any} */ (globalThis).printed);
			await until(async () => (await lines()).includes('done'), `${program} to be done`, 90_000).catch(async (error) => {
				throw new Error(`${error.message}; printed: ${(await lines()).join(' | ')}`);
			}).finally(async () => {
				printed = await lines();
			});
		});

		for (const name of CASES) {
			test(name, () => assert.deepEqual(linesOf(printed, name), DIFFERENT[program]?.[name]?.map((line) => `${name}: ${line}`) ?? linesOf(expected, name)));
		}

		test('all in one WebSocket', async () => {
			assert.equal(page.carriers.length, 1, page.carriers.join(' '));
			await page.context().close();
		});
	});
}
