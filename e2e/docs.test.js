// The snippets of the documents, as a reader pastes them. Only hosts are replaced: the
// server's, webR's and the target's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { TIME, startClock } from './harness/clock.js';
import { startDns } from './harness/dns.js';
import { freePort, talk } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** The documents that internal/test/docs reads, too, for the other languages. */
const DOCUMENTS = ['README.md', 'docs/OPERATIONS.md', 'docs/DEPLOYMENT.md', 'docs/WEBR.md', 'docs/EMSCRIPTEN.md', 'docs/GO.md', 'js/README.md', 'examples/README.md'];

/** The languages that run in a browser. */
const LANGUAGES = ['html', 'js'];

/** webR takes a while to start on a busy machine. */
const START_TIMEOUT = 90_000;

const [dns, clock] = [await startDns({ 'www.example.org': ['192.0.2.7'] }), await startClock()];
after(() => Promise.all([dns.stop(), clock.stop()]));

/** Where a snippet listens. */
const served = await freePort();

const world = suite({ flags: () => ['--allow', `udp://${dns.address}`, '--allow', `udp://127.0.0.1:${clock.port}`, '--allow-listen', `127.0.0.1:${served}`] });

/**
 * The snippets of a document.
 * @param {string} document
 * @returns {{ place: string, language: string, text: string }[]}
 */
function snippets(document) {
	const text = readFileSync(new URL(`../${document}`, import.meta.url), 'utf8');
	return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
		place: `${document}:${text.slice(0, match.index).split('\n').length}`, language: match[1], text: match[2],
	}));
}

/** What the snippet's target is in its world, and whether it has one. @param {string} text */
function withTargets(text) {
	const { ports } = world.targets;
	return text
		.replace(/"example\.org", 80\b/g, `"127.0.0.1", ${ports.http}`)
		.replace(/"db\.example\.org", 5432\b/g, `"127.0.0.1", ${ports.echo}`)
		.replace("'https://www.example.org/'", `'http://127.0.0.1:${ports.http}/'`)
		.replace("'localhost', 8000", `'localhost', ${served}`)
		.replace("'time.example.org', 123", `'127.0.0.1', ${clock.port}`)
		.replace("'dns.example.org', 53", `'127.0.0.1', ${dns.address.split(':')[1]}`)
		.replace(/'db\.example\.org:5432'/g, `'127.0.0.1:${ports.echo}'`);
}

/** @param {string} text */
function withHosts(text) {
	return withTargets(text)
		.replace(/https:\/\/(SERVER|tunnel\.example\.org)\//g, `${world.sockmux.origin}/`)
		.replace(/https:\/\/webr\.r-wasm\.org\/[^/]+\/webr\.mjs/g, `${world.site.origin}/webr/webr.js`) // npm has the browser's module under this name
		.replace(/new WebR\(\)/g, `new WebR({ baseUrl: '${world.site.origin}/webr/' })`);
}

/** A page around a snippet. It sets `snippetEnded` when the snippet has run to its end. @param {string} language @param {string} text */
function page(language, text) {
	const ended = '\n;globalThis.snippetEnded = true;\n';
	if (language === 'html') {
		return text.includes('type="module"') ? text.replace(/<\/script>\s*$/, `${ended}</script>\n`) : `${text}<script type="module">${ended}</script>`;
	}
	// The document has loaded script and webR before; where the snippet imports the
	// module itself, there is none.
	const before = text.includes('import {') ? '' : "import { WebR } from 'https://webr.r-wasm.org/latest/webr.mjs';\n";
	const script = before ? '<script src="https://SERVER/sockmux.js" data-webr="off" crossorigin></script>\n' : '<script type="importmap">{ "imports": { "sockmux": "/npm/index.mjs" } }</script>\n';
	return `${script}<script type="module">\n${before}${text}${ended}globalThis.sockmux ??= typeof sockmux === 'undefined' ? undefined : sockmux;\n</script>`;
}

for (const document of DOCUMENTS) {
	for (const { place, language, text } of snippets(document)) {
		if (!LANGUAGES.includes(language) || text.includes("from 'ws'")) continue; // those of Node run in node.test.js
		test(place, async () => {
			const hosts = [...text.matchAll(/https:\/\/([^/'"]+)/g)].map(([, host]) => host);
			for (const host of hosts) assert.ok(['SERVER', 'tunnel.example.org', 'webr.r-wasm.org', 'www.example.org'].includes(host), `a host that the test does not know: ${host}`);
			const html = `<!doctype html><meta charset="utf-8"><body>${withHosts(page(language, text))}</body>`;
			const tab = await world.newPage();
			world.site.pages.set('/snippet.html', html);
			await tab.goto(`${world.site.origin}/snippet.html`);
			const failures = () => tab.lines.filter((line) => line.startsWith('uncaught') || line.startsWith('error'));
			// One that serves does not end.
			const over = () => (text.includes('sockmux.listen(') ? talk(served, '?').then((answer) => answer === '?') : tab.evaluate(() => /** @type {any} */ (globalThis).snippetEnded));
			await until(async () => failures().length > 0 || over(), 'the end of the snippet', START_TIMEOUT);
			assert.deepEqual(failures(), []);
			assert.equal(await tab.evaluate(() => typeof /** @type {any} */ (globalThis).sockmux?.version), 'string');
			if (withTargets(text) !== text) {
				// What R was given, and not only what arrived.
				const printed = () => !text.includes('print(') || tab.lines.some((line) => line.includes('200 OK'));
				const received = () => tab.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().streams.some((/** @type {any} */ stream) => stream.bytesIn > 0));
				await until(async () => await received() && printed(), 'what the target sends');
				if (text.includes("'dns.example.org'")) await until(() => ['192.0.2.7', TIME].every((said) => tab.lines.some((line) => line.includes(said))), 'the answers of DNS and SNTP');
			}
			await tab.context().close();
		});
	}
}

test('there are snippets for a browser', () => {
	const found = DOCUMENTS.flatMap(snippets).filter(({ language }) => LANGUAGES.includes(language));
	assert.ok(found.length >= 5, `${found.length} snippets`);
});
