// The R packages in webR: when callbacks run, what is bounded, and what they say of themselves. What
// the package websocket does, event by event, is in r-websocket.test.js.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from './harness/certificate.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';
import { startWebSocketTarget } from './harness/websocket-target.js';

const folder = mkdtempSync(join(tmpdir(), 'sockmux-authority-'));
const authority = join(folder, 'authority.pem');
const certificate = makeCertificate('target.test', [127, 0, 0, 1]);
writeFileSync(authority, certificate.cert);
process.env.SSL_CERT_FILE = authority; // of bin/sockmux, which this starts

const target = await startWebSocketTarget();
const secure = await startWebSocketTarget(certificate);
const untrusted = await startWebSocketTarget(makeCertificate('target.test', [127, 0, 0, 1]));
const URL_OF = target.origin;

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;

const world = suite({
	flags: () => [target, secure, untrusted].flatMap(({ port }) => ['--allow', `127.0.0.1:${port}`]),
	async ready({ site, newPage, alsoStop }) {
		for (const one of [target, secure, untrusted]) alsoStop(one);
		alsoStop({ stop: async () => rmSync(folder, { recursive: true }) });
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
		await r.evalR('library(websocket)');
	},
});

/** R code that waits in run_now() until something is so. @param {string} condition */
const wait = (condition) => `local({ end <- Sys.time() + 20; while (!(${condition})) { if (Sys.time() > end) stop("it did not come to pass"); sockmux::run_now(0.1) } })`;

test('without the script there is no such package, and with it nothing else changes', async () => {
	const plain = await world.newPage();
	await plain.goto(`${world.site.origin}/plain.html`);
	await plain.addScriptTag({ url: '/webr.js', type: 'module' });
	await plain.waitForFunction(() => 'startWebR' in globalThis);
	const bare = await withWebR(plain);
	assert.match(await bare.evalR('tryCatch(library(websocket), error = conditionMessage)'), /no package called/);
	const facts = 'list(paths = .libPaths(), search = length(search()), env = Sys.getenv("R_LIBS"), loaded = "sockmux" %in% loadedNamespaces())';
	const fresh = await world.newPage();
	await fresh.goto(`${world.site.origin}/webr.html`);
	const tagged = await withWebR(fresh);
	assert.deepEqual(await tagged.evalR(facts), await bare.evalR(facts));
	assert.deepEqual(await tagged.evalR('setdiff(rownames(installed.packages()), c("sockmux", "websocket"))'), await bare.evalR('rownames(installed.packages())'));
	await plain.context().close();
	await fresh.context().close();
});

test('callbacks run in Sys.sleep(), which lasts as long as it was told', async () => {
	const { took, order } = await r.evalR(`
		order <- character()
		ws <- WebSocket$new("${URL_OF}/echo")
		ws$onOpen(function(e) { order <<- c(order, "open"); ws$send("a") })
		ws$onMessage(function(e) order <<- c(order, e$data))
		took <- system.time(Sys.sleep(1.5))[["elapsed"]]
		order <- c(order, "slept")
		ws$close()
		${wait('ws$readyState() == 3L')}
		list(took = took, order = order)`);
	assert.deepEqual(order, ['open', 'a', 'slept']);
	assert.ok(took >= 1.5 && took < 3, `${took}`);
});

test('callbacks run in the Sys.sleep() of a function, and not in what computes', async () => {
	assert.deepEqual(await r.evalR(`
		order <- character()
		ws <- WebSocket$new("${URL_OF}/echo")
		ws$onOpen(function(e) order <<- c(order, "open"))
		end <- Sys.time() + 0.7
		while (Sys.time() < end) {}
		order <- c(order, "computed")
		f <- function() Sys.sleep(0.7)
		sapply(1, function(i) f())
		order <- c(order, "slept")
		ws$close()
		${wait('ws$readyState() == 3L')}
		order`), ['computed', 'open', 'slept']);
});

test('callbacks run while R waits for its next command, and print there', async () => {
	await page.evaluate(() => {
		const { webR } = /** @type {any} */ (globalThis);
		/** @type {string[]} */
		const said = [];
		Object.assign(globalThis, { said });
		void (async () => {
			for await (const { type, data } of webR.stream()) if (type === 'stdout' || type === 'stderr') said.push(data);
		})();
	});
	const said = () => page.evaluate(() => /** @type {any} */ (globalThis).said);
	await page.evaluate((url) => /** @type {any} */ (globalThis).webR.writeConsole(`ws <- websocket::WebSocket$new("${url}"); ws$onOpen(function(e) cat("opened", interactive(), "\\n")); ws$onMessage(function(e) cat("got", e$data, "\\n")); ws$onClose(function(e) { cat("closed", e$code, "\\n"); stop("of a callback") })\n`), `${URL_OF}/echo?id=prompt`);
	await until(async () => (await said()).includes('opened TRUE '), 'the open event at the prompt');
	await page.evaluate(() => /** @type {any} */ (globalThis).webR.writeConsole('ws$send("hello")\n'));
	await until(async () => (await said()).includes('got hello '), 'a message at the prompt');
	await page.evaluate(() => /** @type {any} */ (globalThis).webR.writeConsole('invisible(ws$close())\n'));
	await until(async () => (await said()).some((/** @type {string} */ line) => /Error in websocket callback: of a callback/.test(line)), 'the close event at the prompt');
	// R takes commands as before.
	await page.evaluate(() => /** @type {any} */ (globalThis).webR.writeConsole('cat("still", 1 + 1, "\\n")\n'));
	await until(async () => (await said()).includes('still 2 '), 'the next command');
});

test('later() at the prompt: at its time, and an error of it is a message', async () => {
	await r.evalR('ran <- 0; sockmux::later(function() stop("of later")); sockmux::later(function() ran <<- ran + 1, 0.2); NULL');
	await until(async () => await r.evalR('ran') === 1, 'the function at the prompt');
});

/**
 * Interrupts R once a stream to the target has sent so much: R waits then.
 * @param {string} id  of the connection, in its path
 * @param {string} code
 * @param {number} bytes
 */
async function interrupted(id, code, bytes) {
	const evaluation = r.evalR(`tryCatch({
		ws <- WebSocket$new("${URL_OF}/deaf?id=${id}")
		${wait('ws$readyState() == 1L')}
		${code}
		"done" }, interrupt = function(e) "interrupted")`).catch((error) => error.message);
	const streams = () => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().streams);
	await until(async () => target.seen(id).length > 0 && (await streams()).some((/** @type {any} */ stream) => stream.closedAt === null && stream.bytesOut > bytes), 'R to wait');
	await r.interrupt();
	return evaluation;
}

test('an interrupt ends run_now() and send() that wait', async () => {
	assert.equal(await interrupted('run-now', 'ws$send(raw(5000)); sockmux::run_now(Inf)', 5000), 'interrupted');
	assert.equal(await interrupted('send', 'ws$send(raw(64e6))', 400_000), 'interrupted');
	assert.equal(await r.evalR('6 * 7'), 42);
});

test('wss: by the certificates that the server\'s system trusts', async () => {
	const [got, error] = await r.evalR(`
		got <- character()
		ws <- WebSocket$new("${secure.origin}/echo", headers = c(Authorization = "x"))
		ws$onOpen(function(e) ws$send("secret"))
		ws$onMessage(function(e) { got <<- c(got, e$data); ws$close() })
		${wait('ws$readyState() == 3L')}
		bad <- WebSocket$new("${untrusted.origin}/echo")
		bad$onError(function(e) got <<- c(got, e$message))
		${wait('bad$readyState() == 3L')}
		got`);
	assert.equal(got, 'secret');
	assert.match(error, /^TLS handshake failed: x509: certificate signed by unknown authority/);
});

test('what the policy forbids is said', async () => {
	assert.match(await r.evalR(`
		ws <- WebSocket$new("ws://127.0.0.1:9/")
		why <- NULL
		ws$onError(function(e) why <<- e$message)
		${wait('!is.null(why)')}
		why`), /^denied: 127\.0\.0\.1:9 is denied/);
});

test('a server that sends without end waits for R, and others do not', async () => {
	const total = 100_000_000;
	await r.evalR(`flood <- WebSocket$new("${URL_OF}/count/1000/100000?id=flood"); n <- 0; flood$onMessage(function(e) n <<- n + length(e$data)); ${wait('flood$readyState() == 1L')}; flood$send("now")
		ws <- WebSocket$new("${URL_OF}/echo"); ${wait('ws$readyState() == 1L')}`);
	// R computes, and takes nothing.
	const computing = r.evalR('end <- Sys.time() + 3; while (Sys.time() < end) {}; n');
	const sent = [0];
	await until(async () => {
		sent.push(target.sent('flood'));
		await new Promise((resolve) => { setTimeout(resolve, 300); });
		return sent.at(-1) === target.sent('flood') && sent.at(-1) !== 0;
	}, 'the target stands still');
	assert.ok(target.sent('flood') < total / 2, `${target.sent('flood')}`);
	const before = await computing;
	assert.ok(before < 32e6, `${before}`);
	// The other one's message comes in the midst of the flood.
	const then = await r.evalR(`echo <- NULL; ws$onMessage(function(e) echo <<- n); ws$send("x"); ${wait('!is.null(echo)').replace('+ 20', '+ 60')}; ws$close(); echo`, 90_000);
	assert.ok(then < total, `${then}`);
	assert.equal(await r.evalR(`${wait(`n == ${total}`).replace('+ 20', '+ 80')}; n`, 90_000), total);
	await r.evalR(`flood$close(); ${wait('flood$readyState() == 3L')}`);
});

test('a target that takes nothing makes send() wait; a page that goes on is not disturbed', async () => {
	await r.evalR(`deaf <- WebSocket$new("${URL_OF}/deaf?id=deaf"); ${wait('deaf$readyState() == 1L')}`);
	const sending = r.evalR('tryCatch({ deaf$send(raw(200e6)); "sent" }, interrupt = function(e) "interrupted")', 60_000);
	const page2 = await world.newPage();
	await page2.goto(`${world.site.origin}/webr.html`);
	const other = await withWebR(page2);
	assert.equal(await other.evalR(`library(websocket); got <- NULL; ws <- WebSocket$new("${URL_OF}/echo"); ws$onOpen(function(e) ws$send("neighbor")); ws$onMessage(function(e) got <<- e$data); ${wait('!is.null(got)')}; got`), 'neighbor');
	await page2.context().close();
	await r.interrupt();
	assert.equal(await sending, 'interrupted');
});

test('a hundred connections one after the other leave nothing', async () => {
	assert.deepEqual(await r.evalR(`
		open <- function() length(sockmux:::loops$table[["0"]]$sockets)
		before <- open()
		for (i in 1:100) {
			ws <- WebSocket$new("${URL_OF}/echo")
			while (ws$readyState() == 0L) sockmux::run_now(1)
			ws$close()
			while (ws$readyState() != 3L) sockmux::run_now(1)
		}
		rm(ws)
		list(left = open() - before, due = webr::eval_js("sockmuxLayer.websockets.due"))`, 120_000), { left: 0, due: false });
});


test('webr::install() takes the packages of the server\'s repository', async () => {
	for (const file of ['webr', 'plain']) {
		const fresh = await world.newPage();
		await fresh.goto(`${world.site.origin}/${file}.html`);
		if (file === 'plain') await fresh.addScriptTag({ url: '/webr.js', type: 'module' });
		await fresh.waitForFunction(() => 'startWebR' in globalThis);
		const other = await withWebR(fresh);
		assert.deepEqual(await other.evalR(`
			warned <- character()
			withCallingHandlers(webr::install("later", repos = "${world.sockmux.origin}/r/", quiet = TRUE), warning = function(w) { warned <<- c(warned, conditionMessage(w)); invokeRestart("muffleWarning") })
			library(later)
			ran <- "nothing"
			later(function() ran <<- "later", 0.1)
			run_now(5)
			c(ran, warned, format(packageVersion("later")))`), ['later', '1.4.0']);
		if (file === 'plain') assert.match(await other.evalR('tryCatch(sockmux::WebSocket$new("ws://127.0.0.1:1/"), error = conditionMessage)'), /the script of sockmux is not in this page/);
		await fresh.context().close();
	}
});

test('sockmux_status() and sockmux_check()', async () => {
	assert.match(await r.evalR('format(sockmux::sockmux_status())'), /go through sockmux, and its server is connected/);
	assert.match(await r.evalR(`format(sockmux::sockmux_check("127.0.0.1", ${world.targets.ports.echo}))`), /can be reached: connected in \d+ ms/);
	const [refused, reason] = await r.evalR(`format(sockmux::sockmux_check("127.0.0.1", ${world.targets.ports.refused}))`);
	assert.match(refused, /cannot be reached: nothing listens at that port/);
	assert.match(reason, /refused: 127\.0\.0\.1/);
	assert.match((await r.evalR('format(sockmux::sockmux_check("127.0.0.1", 9))'))[0], /its operator can, with --allow 127\.0\.0\.1:9/);
	assert.match((await r.evalR('format(sockmux::sockmux_check("no-such-name.invalid", 80))'))[0], /there is no such name/);
});
