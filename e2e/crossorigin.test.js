// webR from another origin, as from a CDN: it fetches its worker's script and starts it
// from a blob: URL.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSite } from './harness/site.js';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;
/** @type {string} */
let cdn;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	flags: () => ['--demo'],
	async ready({ targets, site, newPage, alsoStop }) {
		ports = targets.ports;
		const other = await startSite({ isolated: false });
		alsoStop(other);
		cdn = `${other.origin}/webr/`;
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page, { baseUrl: cdn });
	},
});

test('webR did come from the other origin', async () => {
	const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/webr/')));
	assert.ok(scripts.length > 0 && scripts.every((name) => name.startsWith(cdn)), scripts.join(' '));
	assert.notEqual(new URL(cdn).origin, world.site.origin);
});

test('R\'s sockets work by the script tag alone', async () => {
	assert.equal(await r.evalR(`con <- socketConnection("demo.test", ${ports.echo}L, open = "r+b", blocking = TRUE, timeout = 20)
		writeLines("from afar", con)
		x <- readLines(con, 1)
		close(con)
		x`), 'from afar');
	assert.deepEqual(await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.lines}L, blocking = TRUE, timeout = 20); x <- suppressWarnings(readLines(con)); close(con); x`), ['first', 'second', 'third']);
});

test('refusal and timeouts are those of the layer, not of plain webR', async () => {
	const { refused, took } = await r.evalR(`refused <- tryCatch({ suppressWarnings(socketConnection("127.0.0.1", ${ports.refused}L, timeout = 20)); "opened" }, error = conditionMessage)
		con <- socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 1)
		t0 <- proc.time()[["elapsed"]]
		suppressWarnings(readLines(con, 1))
		took <- proc.time()[["elapsed"]] - t0
		close(con)
		list(refused = refused, took = took)`);
	assert.equal(refused, 'cannot open the connection');
	assert.ok(took > 0.8 && took < 3, `${took} s for timeout = 1`);
});

test('workers that are not webR\'s are left alone, blobs and all', async () => {
	const answers = await page.evaluate(async () => {
		const source = 'self.onmessage = ({ data }) => self.postMessage([data, typeof self.sockmuxLayer, self.location.protocol]);';
		const run = (/** @type {Worker} */ worker) => new Promise((resolve) => {
			worker.onmessage = ({ data }) => resolve(data);
			worker.postMessage('hello');
		}).finally(() => worker.terminate());
		const url = URL.createObjectURL(new Blob([source.padEnd(20_000)], { type: 'text/javascript' }));
		return [await run(new Worker(url)), await run(new Worker(url, { type: 'module' })), new Worker(url) instanceof Worker];
	});
	assert.deepEqual(answers, [['hello', 'undefined', 'blob:'], ['hello', 'undefined', 'blob:'], true]);
});

test('one WebSocket, and no complaint on the console', () => {
	assert.equal(page.carriers.filter((url) => url.includes(`:${world.sockmux.port}/`)).length, 1);
	const complaints = page.lines.filter((line) => line.includes('sockmux:') && !line.includes('refused'));
	assert.deepEqual(complaints, []);
});
