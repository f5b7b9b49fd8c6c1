// A page whose policy forbids workers from blob: URLs: the script cannot put the layer
// into webR's worker, `await sockmux.attach(webR)` can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';
import { startWebSocketTarget } from './harness/websocket-target.js';

const POLICY = "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' %SERVER%; worker-src 'self'; connect-src * ws: wss: data:; style-src 'unsafe-inline'";

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;
/** @type {Record<string, number>} */
let ports;

const echo = await startWebSocketTarget();

const world = suite({
	flags: () => ['--demo', '--allow', `127.0.0.1:${echo.port}`],
	site: { csp: POLICY },
	async ready({ targets, site, newPage, alsoStop }) {
		alsoStop(echo);
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page, { attach: true });
	},
});

const open = (/** @type {string} */ name) => `con <- socketConnection("127.0.0.1", ${ports[name]}L, open = "r+b", blocking = TRUE, timeout = 20)\n`;

test('the console said once that the policy stands in the way, and what to do', () => {
	const said = page.lines.filter((line) => line.includes('sockmux:') && line.includes('attach'));
	assert.equal(said.length, 1, page.lines.join('\n'));
	assert.match(said[0], /Content-Security-Policy.*blob:.*sockmux\.attach\(webR\)/);
});

test('attach() leaves nothing behind in R', async () => {
	assert.deepEqual(await r.evalR('list(global = length(ls(globalenv(), all.names = TRUE)), ours = length(grep("sockmux", c(names(Sys.getenv()), names(options()), search()))))'), { global: 0, ours: 0 });
});

test('write and read at once, to the end of the stream', async () => {
	assert.equal(await r.evalR(`${open('echo')} writeLines("attached", con); x <- readLines(con, 1); close(con); x`), 'attached');
	assert.deepEqual(await r.evalR(`${open('lines')} x <- suppressWarnings(readLines(con)); close(con); x`), ['first', 'second', 'third']);
});

test('R\'s packages are there, and callbacks run while R waits', async () => {
	assert.equal(await r.evalR(`library(websocket); got <- NULL
		ws <- WebSocket$new("${echo.origin}/echo"); ws$onOpen(function(e) ws$send("attached")); ws$onMessage(function(e) got <<- e$data)
		Sys.sleep(1); got`), 'attached');
	await r.evalR('got <- NULL; ws$send("again"); NULL');
	await until(async () => await r.evalR('got') === 'again', 'a message at the prompt');
	await r.evalR('ws$close(); detach("package:websocket"); rm(ws, got); NULL');
});

test('a refused connection is an R error at once', async () => {
	assert.equal(await r.evalR(`tryCatch({ suppressWarnings(socketConnection("127.0.0.1", ${ports.refused}L, timeout = 20)); "opened" }, error = conditionMessage)`), 'cannot open the connection');
	const lastError = await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status.lastError);
	assert.equal(lastError.name, 'refused');
});

test('a timeout lasts what it says, and socketSelect waits', async () => {
	const { read, select } = await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 2)
		t0 <- proc.time()[["elapsed"]]
		suppressWarnings(readLines(con, 1))
		t1 <- proc.time()[["elapsed"]]
		stopifnot(!socketSelect(list(con), timeout = 1))
		t2 <- proc.time()[["elapsed"]]
		close(con)
		list(read = t1 - t0, select = t2 - t1)`);
	assert.ok(read > 1.8 && read < 4, `${read} s for timeout = 2`);
	assert.ok(select > 0.8 && select < 3, `${select} s for timeout = 1`);
});

test('half-close by the server, reset, and 300 names', async () => {
	world.targets.seen.halfclose.length = 0;
	assert.equal(await r.evalR(`${open('halfclose')} x <- readLines(con); writeLines("after", con); close(con); x`), 'greeting');
	await until(() => Buffer.concat(world.targets.seen.halfclose).toString() === 'after\n', 'bytes after the half-close');
	assert.equal(await r.evalR(`${open('reset')} x <- readLines(con, 1); close(con); x`), 'before the reset');
	assert.equal(await r.evalR(`sum(vapply(1:300, function(i) {
			con <- socketConnection(sprintf("h%d.test", i), ${ports.line}L, open = "rb", blocking = TRUE, timeout = 20)
			x <- readLines(con)
			close(con)
			identical(x, "one line")
		}, NA))`), 300);
	const names = () => new Set(world.sockmux.logs.filter((line) => line.includes('"msg":"stream"')).map((line) => JSON.parse(line).target).filter((target) => /^h\d+\.test:/.test(target)));
	await until(() => names().size === 300, '300 different names in the server\'s log');
});

test('10 MB each way, byte by byte', async () => {
	assert.equal(await r.evalR(`${open('echo')}
		sent <- as.raw((seq_len(1e6) * 7919) %/% 13 %% 256)
		right <- vapply(1:10, function(i) {
			writeBin(sent, con)
			got <- raw()
			while (length(got) < 1e6) got <- c(got, readBin(con, raw(), 1e6 - length(got)))
			identical(got, sent)
		}, NA)
		close(con)
		sum(right)`), 10);
});

test('a second attach changes nothing; what is no webR is told so', async () => {
	const message = await page.evaluate(async () => {
		const { sockmux, webR } = /** @type {any} */ (globalThis);
		await sockmux.attach(webR);
		return sockmux.attach({}).then(() => 'attached', (/** @type {Error} */ error) => `${error.name}: ${error.message}`);
	});
	assert.equal(message, 'TypeError: attach: the argument is no WebR object');
	assert.equal(await r.evalR(`${open('line')} x <- readLines(con); close(con); x`), 'one line');
});

test('it all went through one WebSocket', () => {
	assert.equal(page.carriers.filter((url) => url.includes(`:${world.sockmux.port}/`)).length, 1);
});
