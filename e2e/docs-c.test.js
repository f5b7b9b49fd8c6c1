// The C programs of docs/EMSCRIPTEN.md, as a reader pastes them: natively, in a thread, in a worker.
// Only hosts and ports are replaced.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startClock } from './harness/clock.js';
import { startDns } from './harness/dns.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const FOLDER = fileURLToPath(new URL('out/docs-c', import.meta.url));
const PRINTED = ['192.0.2.7', 'Mon Jan  1 00:00:00 2024'];

/** Whether there is a compiler. @param {string} name */
function has(name) {
	try {
		execFileSync(name, ['--version'], { stdio: 'ignore' });
		return true;
	} catch {
		return false;
	}
}
const skip = ['cc', 'emcc'].every(has) ? false : 'no cc or no emcc (Debian: gcc, emscripten)';

const [dns, clock] = [await startDns({ 'www.example.org': ['192.0.2.7'] }), await startClock()];
after(() => Promise.all([dns.stop(), clock.stop()]));

const world = suite({ flags: () => ['--allow', `udp://${dns.address}`, '--allow', `udp://127.0.0.1:${clock.port}`] });

const programs = [...readFileSync(new URL('../docs/EMSCRIPTEN.md', import.meta.url), 'utf8').matchAll(/^```c\n(.*?)^```$/gms)].map(([, text]) => text
	.replace('"dns.example.org", "53"', `"127.0.0.1", "${dns.address.split(':')[1]}"`)
	.replace('"time.example.org", "123"', `"127.0.0.1", "${clock.port}"`));

test('there is one program', () => assert.equal(programs.length, 1));

/** Compiles the program. @param {string} compiler @param {string[]} flags */
function compile(compiler, flags) {
	mkdirSync(FOLDER, { recursive: true });
	writeFileSync(`${FOLDER}/program.c`, programs[0]);
	execFileSync(compiler, ['-Wall', '-Werror', 'program.c', ...flags], { cwd: FOLDER, stdio: ['ignore', 'ignore', 'inherit'], env: { NODE_PATH: '/usr/share/nodejs', ...process.env } });
}

test('natively', { skip }, async () => {
	compile('cc', ['-o', 'program']);
	const { stdout } = await promisify(execFile)(`${FOLDER}/program`);
	assert.deepEqual(stdout.trim().split('\n'), PRINTED);
});

for (const [name, how, flags] of /** @type {[string, string, string[]][]} */ ([
	['worker', 'runInWorker', ['-sENVIRONMENT=worker']],
	['pthread', 'run', ['-pthread', '-sPROXY_TO_PTHREAD', '-sPTHREAD_POOL_SIZE=1']],
])) {
	test(`in Chromium: ${name}`, { skip }, async () => {
		compile('emcc', [...flags, '-sEXIT_RUNTIME', '-o', `${name}.js`]);
		const page = await world.newPage();
		await page.goto(`${world.site.origin}/emscripten.html`);
		await page.evaluate(([call, base]) => void (/** @type {any} */ (globalThis)[call])(base, []), [how, `/built/docs-c/${name}`]);
		const printed = await until(async () => {
			const lines = await page.evaluate(() => /** @type {any} */ (globalThis).printed);
			return lines.length >= PRINTED.length ? lines : null;
		}, 'both answers', 60_000);
		assert.deepEqual(printed, PRINTED);
		await page.context().close();
	});
}
