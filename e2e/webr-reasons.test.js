// Why a connection failed, asked from R.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { withWebR } from './harness/webr.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;
/** @type {Record<string, number>} */
let ports;

suite({
	flags: () => ['--demo'],
	async ready({ targets, site, newPage }) {
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
	},
});

/**
 * A failing connection; the value is R's own message.
 * @param {string} host
 * @param {number} port
 * @param {string} [more]
 */
const attempt = (host, port, more = '') => `tryCatch({ close(suppressWarnings(socketConnection("${host}", ${port}L, timeout = 20${more}))); "opened" }, error = conditionMessage)`;

const LAST = 'webr::eval_js("sockmuxLayer.lastError")';

test('nothing has failed yet', async () => {
	assert.equal(await r.evalR(LAST), '');
});

test('refused, denied and unknown names', async () => {
	const expected = /** @type {[string, number, RegExp][]} */ ([
		['127.0.0.1', ports.refused, /^refused: 127\.0\.0\.1:\d+: \S/],
		['127.0.0.1', ports.denied, /^denied: 127\.0\.0\.1:\d+ \S/],
		['no-such.invalid', 80, /^(name_not_found|name_failed): no-such\.invalid:80: \S/],
	]);
	for (const [host, port, reason] of expected) {
		assert.equal(await r.evalR(attempt(host, port)), 'cannot open the connection');
		const last = await r.evalR(LAST);
		assert.match(last, reason);
		assert.equal(await r.evalR(`webr::eval_js('sockmuxLayer.errorOf("${host}", ${port})')`), last);
	}
});

test('a connection that is made leaves no reason', async () => {
	assert.equal(await r.evalR(attempt('127.0.0.1', ports.refused)), 'cannot open the connection');
	assert.equal(await r.evalR(attempt('127.0.0.1', ports.echo)), 'opened');
	assert.equal(await r.evalR(LAST), '');
	assert.match(await r.evalR(`webr::eval_js('sockmuxLayer.errorOf("127.0.0.1", ${ports.refused})')`), /^refused: /);
	assert.equal(await r.evalR(`webr::eval_js('sockmuxLayer.errorOf("127.0.0.1", ${ports.echo})')`), '');
});

test('a connection that the peer resets has a reason', async () => {
	assert.equal(await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.reset}L, open = "r+b", blocking = TRUE, timeout = 20)
		readLines(con, 1)
		x <- tryCatch(readLines(con, 1), error = function(e) character())
		close(con)
		${LAST}`).then((last) => /^reset: 127\.0\.0\.1:\d+: \S/.test(last) || last), true);
});

test('the function of docs/WEBR.md, word for word', async () => {
	const document = await readFile(new URL('../docs/WEBR.md', import.meta.url), 'utf8');
	const [, code] = /** @type {RegExpExecArray} */ (/```r\n(connect <- [^]*?)```/.exec(document));
	assert.match(await r.evalR(`${code}
		answer <- tryCatch({ connect("127.0.0.1", ${ports.refused}L); "opened" }, error = conditionMessage)
		rm(connect)
		answer`), /^cannot open the connection: refused: 127\.0\.0\.1:\d+: \S/);
});
