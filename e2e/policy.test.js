// The Content-Security-Policy of docs/WEBR.md, word for word, and what the document says
// of each source that is left out.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startSite } from './harness/site.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

const DOCUMENT = await readFile(new URL('../docs/WEBR.md', import.meta.url), 'utf8');
const SECTION = DOCUMENT.split('### Content-Security-Policy\n')[1].split('\n### ')[0];

/** The documented policy: directive to sources. */
const DOCUMENTED = new Map(/** @type {RegExpExecArray} */ (/^Content-Security-Policy: (.*)$/m.exec(SECTION))[1]
	.split(';').map((directive) => directive.trim().split(' ')).map(([name, ...sources]) => [name, sources]));

/** The rows of the table: directive, source, what happens without. */
const ROWS = [...SECTION.matchAll(/^\| `([a-z-]+)` \| `(\S+)` \| [^|]* \| ([^|]*) \|$/gm)].map(([, directive, source, effect]) => ({ directive, source, effect: effect.trim() }));

const world = suite({ flags: () => ['--demo', '--allow-origin', '*'] });

/** @param {Map<string, string[]>} policy */
const text = (policy) => [...policy].map(([name, sources]) => [name, ...sources].join(' ')).join('; ')
	.replaceAll('https://SERVER', world.sockmux.origin).replaceAll('wss://SERVER', world.sockmux.origin.replace('http', 'ws'));

/** The documented policy without one source. @param {string} directive @param {string} source */
function without(directive, source) {
	const policy = new Map(DOCUMENTED);
	const sources = policy.get(directive) ?? [];
	assert.ok(sources.includes(source), `the policy has ${directive} ${source}`);
	policy.set(directive, sources.length > 1 ? sources.filter((other) => other !== source) : ['\'none\'']);
	return text(policy);
}

/**
 * A page under a policy.
 * @param {string} csp
 * @param {string} [path]
 */
async function open(csp, path = '/webr.html') {
	const site = await startSite({ csp, words: { SERVER: world.sockmux.origin } });
	world.alsoStop(site);
	const page = await world.newPage();
	await page.goto(`${site.origin}${path}`);
	return page;
}

const echo = () => `con <- socketConnection("127.0.0.1", ${world.targets.ports.echo}L, open = "r+b", blocking = TRUE, timeout = 20)
	writeLines("hi", con)
	x <- readLines(con, 1)
	close(con)
	x`;

/** The lines of sockmux on the console. @param {import('./harness/suite.js').TestPage} page */
const said = (page) => page.lines.filter((line) => line.includes('sockmux:'));

/**
 * webR starts without the layer, one line says why, attach() brings it in.
 * @param {import('./harness/suite.js').TestPage} page
 * @param {RegExp} line
 */
async function startsPlain(page, line) {
	const r = await withWebR(page);
	assert.equal(await r.evalR('1 + 1'), 2);
	await until(() => said(page).length > 0, 'a line on the console');
	assert.equal(said(page).length, 1, page.lines.join('\n'));
	assert.match(said(page)[0], line);
	await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.attach(/** @type {any} */ (globalThis).webR));
	assert.equal(await r.evalR(echo()), 'hi');
}

test('under the documented policy webR starts with the layer, and nothing is said', async () => {
	const page = await open(text(DOCUMENTED));
	const r = await withWebR(page);
	assert.equal(await r.evalR(echo()), 'hi');
	assert.deepEqual(said(page), []);
});

test('the table names every source of the policy', () => {
	const inPolicy = [...DOCUMENTED].filter(([name]) => name !== 'default-src').flatMap(([name, sources]) => sources.map((source) => `${name} ${source}`));
	assert.deepEqual(ROWS.map(({ directive, source }) => `${directive} ${source}`).sort(), inPolicy.sort());
});

/**
 * What to see without a source, by what the document says of it.
 * @type {Record<string, (page: import('./harness/suite.js').TestPage) => Promise<void>>}
 */
const EFFECTS = {
	'the page has no sockmux': async (page) => {
		assert.equal(await page.evaluate(() => 'sockmux' in globalThis), false);
		const r = await withWebR(page);
		assert.equal(await r.evalR('1 + 1'), 2);
	},
	'webR starts without the layer, attach() brings it in': (page) => startsPlain(page, /Content-Security-Policy.*sockmux\.attach\(webR\)/),
	'nothing changes': async (page) => {
		const r = await withWebR(page);
		assert.equal(await r.evalR(echo()), 'hi');
		assert.deepEqual(said(page), []);
	},
	'connections fail, the console names the policy': async (page) => {
		const r = await withWebR(page);
		assert.equal(await r.evalR(`tryCatch({ ${echo()} }, warning = conditionMessage, error = conditionMessage)`), `127.0.0.1:${world.targets.ports.echo} cannot be opened`);
		await until(() => page.lines.some((line) => /Content.Security.Policy/.test(line) && line.includes(world.sockmux.origin.split('//')[1])), 'a line that names the policy');
	},
	'the page has no webR': async (page) => {
		await assert.rejects(page.evaluate(() => /** @type {any} */ (globalThis).startWebR()));
	},
};

for (const { directive, source, effect } of ROWS) {
	test(`without ${directive} ${source}: ${effect}`, async () => {
		const page = await open(without(directive, source));
		await EFFECTS[effect](page);
	});
}

test('the same policy in a meta element: webR starts from its own URL without unsafe-eval', async () => {
	const site = await startSite({ words: { SERVER: world.sockmux.origin } });
	world.alsoStop(site);
	const csp = without('script-src', "'unsafe-eval'");
	site.pages.set('/meta.html', `<!doctype html><meta http-equiv="Content-Security-Policy" content="${csp}"><script src="${world.sockmux.origin}/sockmux.js"></script><script type="module" src="webr.js"></script>`);
	const page = await world.newPage();
	await page.goto(`${site.origin}/meta.html`);
	await startsPlain(page, /eval.*sockmux\.attach\(webR\)/);
});
