// R programs that say in webR what they say in desktop R. cases/expected has what R 4.6
// said on Linux to the same services.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { startServices } from './cases/start.js';
import { freePort } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** A program that takes longer has failed. Several of them wait for seconds. */
const CASE_MS = 90_000;

/**
 * Programs that cannot be right yet, each with the reason. One that becomes right must
 * leave the table.
 * @type {Record<string, string>}
 */
const DIFFERENCES = {
	'curl-get-headers': 'webR has no libcurl',
	'download-methods': 'webR has no libcurl',
	'http-proxy-env': 'base R asks the browser for URLs, which takes no proxy from R',
	'nsl': 'gethostbyname() of Emscripten cannot fail: an unknown name gives 0.0.0.0 instead of NULL',
};

/** @param {string} path */
const read = (path) => readFile(new URL(`cases/${path}`, import.meta.url), 'utf8');
const names = (await readdir(new URL('cases/programs', import.meta.url))).map((file) => file.replace(/\.R$/, '')).sort();

/** Ports at which R itself listens. */
const listens = { server: await freePort(), lonely: await freePort() };

/** @type {import('./harness/webr.js').R} */
let r;

suite({
	flags: () => ['--allow', '127.0.0.1:*', '--allow-listen', `127.0.0.1:${listens.server}`, '--allow-listen', `127.0.0.1:${listens.lonely}`],
	async ready({ targets, site, newPage, alsoStop }) {
		const services = await startServices();
		alsoStop(services);
		const ports = { ...services.ports, ...listens, refused: targets.ports.refused };
		const page = await newPage();
		await page.addInitScript(() => {
			/** @type {any} */ (globalThis).sockmux = { listen: true };
		});
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
		await r.evalR(`P <- list(${Object.entries(ports).map(([name, port]) => `${name} = ${port}L`).join(', ')})\n${await read('prelude.R')}\nNULL`);
	},
});

test('every name of the table is a program', () => {
	assert.deepEqual(Object.keys(DIFFERENCES).filter((name) => !names.includes(name)), []);
});

for (const name of names) {
	const reason = DIFFERENCES[name];
	test(reason ? `${name} differs: ${reason}` : name, async () => {
		const said = [await r.evalR(`run_case(${JSON.stringify(await read(`programs/${name}.R`))})`, CASE_MS)].flat().map((line) => `${line ?? 'NA'}`);
		const text = said.join('\n').replaceAll('\r', '').trimEnd();
		const expected = (await read(`expected/${name}.txt`)).replaceAll('\r', '').trimEnd();
		if (reason) assert.notEqual(text, expected, 'as in desktop R: it leaves the table');
		else assert.equal(text, expected);
	});
}
