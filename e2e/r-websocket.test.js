// The R package websocket in webR by the script tag alone: programs that say what they say in desktop R
// with the package itself. r-websocket/expected has what that said (r-websocket/record.js).

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { startServices } from './r-websocket/services.js';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** @param {string} path */
const read = (path) => readFile(new URL(`r-websocket/${path}`, import.meta.url), 'utf8');
const names = (await readdir(new URL('r-websocket/programs', import.meta.url))).map((file) => file.replace(/\.R$/, '')).sort();

/** @type {import('./harness/webr.js').R} */
let r;
/** @type {Awaited<ReturnType<typeof startServices>>} */
let services;

suite({
	flags: () => ['--allow', '127.0.0.1:*'],
	async ready({ site, newPage, alsoStop }) {
		services = await startServices();
		alsoStop(services);
		const page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
		const ports = Object.entries(services.ports).map(([name, port]) => `${name} = ${port}L`).join(', ');
		await r.evalR(`library(websocket)\nP <- list(${ports}); RUN_NOW <- sockmux::run_now; CREATE_LOOP <- sockmux::create_loop\n${await read('prelude.R')}\nNULL`);
	},
});

for (const name of names) {
	test(name, async () => {
		const said = [await r.evalR(`run_program(${JSON.stringify(await read(`programs/${name}.R`))})`)].flat().join('\n');
		assert.equal(said, (await read(`expected/${name}.txt`)).trimEnd());
	});
}

test('a message that is too long is refused with 1009', () => {
	assert.deepEqual(services.seen('max99').slice(-2), ['close 1009 A message was too large', 'the end']);
});
