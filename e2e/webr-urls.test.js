// URLs of base R in webR: download.file(), url(), readLines(URL) and read.csv(URL) from servers that
// no browser would let a page read. What R says is what desktop R said to the same server.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { freePort } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { startWeb } from './harness/web.js';
import { withWebR } from './harness/webr.js';

const CSV = 'a,b\n1,2\n3,4\n';
const BIG_BYTES = 3_000_000;
const big = Buffer.from(Array.from({ length: BIG_BYTES }, (_, i) => (i * 7 + (i >> 8) * 13) & 255));

/** What the server was asked, in order. @type {import('node:http').IncomingMessage[]} */
const asked = [];

/** @type {Record<string, (response: import('node:http').ServerResponse, request: import('node:http').IncomingMessage) => void>} */
const PATHS = {
	'/ok.csv': (response) => response.writeHead(200, { 'Content-Type': 'text/csv', 'Content-Length': CSV.length }).end(CSV),
	'/big': (response) => response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': BIG_BYTES }).end(big),
	'/unsized': (response) => {
		response.write('x'.repeat(1000));
		response.end('y'.repeat(700_000));
	},
	'/empty': (response) => response.writeHead(200, { 'Content-Length': 0 }).end(),
	'/cut': (response) => {
		response.writeHead(200, { 'Content-Length': 100 }).write('half\n');
		setTimeout(() => response.destroy(), 100);
	},
	'/500': (response) => response.writeHead(500).end('oops'),
	'/never': () => {},
	'/drip': (response) => {
		// A type that the browser does not look into: it would wait for more.
		response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 }).write('drop\n');
	},
	'/away': (response) => response.writeHead(302, { Location: '/ok.csv' }).end(),
	'/fields': (response, { headers }) => response.end(Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join('')),
	'/open': (response) => response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/plain' }).end('open\n'),
};
const server = createServer((request, response) => {
	asked.push(request);
	const answer = PATHS[request.url ?? ''];
	if (answer) answer(response, request);
	else response.writeHead(404).end('none');
}).listen(0, '127.0.0.1');
await until(() => server.listening, 'the server listens');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const nowhere = await freePort();
const web = await startWeb();

/** @type {import('./harness/webr.js').R} */
let r;

suite({
	flags: () => [port, nowhere, ...Object.values(web.ports)].flatMap((each) => ['--allow', `127.0.0.1:${each}`]).concat('--allow', '*.invalid'),
	async ready({ site, newPage, alsoStop }) {
		alsoStop(web);
		alsoStop({ stop: () => new Promise((resolve) => { server.close(resolve).closeAllConnections(); }) });
		const page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
		// The lines that R prints, and its conditions with their calls.
		await r.evalR(`said <- function(expr) {
			lines <- character()
			out <- textConnection("printed", "w", local = TRUE)
			sink(out, type = "message")
			value <- tryCatch(withCallingHandlers(expr,
				warning = function(w) { lines <<- c(lines, paste0("warning: ", conditionMessage(w), " | ", deparse(conditionCall(w))[1])); invokeRestart("muffleWarning") }),
				error = function(e) { lines <<- c(lines, paste0("error: ", conditionMessage(e), " | ", deparse(conditionCall(e))[1])); NULL })
			sink(type = "message")
			close(out)
			c(printed, lines, format(value))
		}
		U <- "http://127.0.0.1:${port}"
		N <- "http://127.0.0.1:${nowhere}/x"
		f <- "/tmp/downloaded"
		NULL`);
	},
});

/** @param {string} code @returns {Promise<string[]>}  what was said, with this server's port as PORT */
async function said(code) {
	return [await r.evalR(`said(${code})`)].flat().map((line) => `${line}`.replaceAll(`:${port}/`, ':PORT/').replaceAll(`:${nowhere}/`, ':NOWHERE/')).filter((line) => line !== '');
}

/** What desktop R says, line by line: R 4.2 with libcurl 7.88, in the words of libcurl 8.14. @type {[what: string, code: string, lines: string[]][]} */
const ROWS = [
	['download.file()', 'download.file(paste0(U, "/ok.csv"), f)', [
		"trying URL 'http://127.0.0.1:PORT/ok.csv'", "Content type 'text/csv' length 12 bytes", '='.repeat(50), 'downloaded 12 bytes', '0',
	]],
	['a larger file', 'download.file(paste0(U, "/big"), f, mode = "wb")', [
		"trying URL 'http://127.0.0.1:PORT/big'", "Content type 'application/octet-stream' length 3000000 bytes (2.9 MB)", '='.repeat(50), 'downloaded 2.9 MB', '0',
	]],
	['a length that is not told', 'download.file(paste0(U, "/unsized"), f)', ["trying URL 'http://127.0.0.1:PORT/unsized'", 'downloaded 684 KB', '0']],
	['an empty file', 'download.file(paste0(U, "/empty"), f)', ["trying URL 'http://127.0.0.1:PORT/empty'", 'downloaded 0 bytes', '0']],
	['quiet', 'download.file(paste0(U, "/ok.csv"), f, quiet = TRUE)', ['0']],
	['a redirect', 'download.file(paste0(U, "/away"), f, quiet = TRUE)', ['0']],
	['a file that is not there', 'download.file(paste0(U, "/missing"), f)', [
		"trying URL 'http://127.0.0.1:PORT/missing'",
		'warning: cannot open URL \'http://127.0.0.1:PORT/missing\': HTTP status was \'404 Not Found\' | download.file(paste0(U, "/missing"), f)',
		'error: cannot open URL \'http://127.0.0.1:PORT/missing\' | download.file(paste0(U, "/missing"), f)', 'NULL',
	]],
	['a connection to it', 'readLines(url(paste0(U, "/missing")))', [
		'warning: cannot open URL \'http://127.0.0.1:PORT/missing\': HTTP status was \'404 Not Found\' | readLines(url(paste0(U, "/missing")))',
		'error: cannot open the connection to \'http://127.0.0.1:PORT/missing\' | readLines(url(paste0(U, "/missing")))', 'NULL',
	]],
	['readLines(URL)', 'readLines(paste0(U, "/500"))', [
		'warning: cannot open URL \'http://127.0.0.1:PORT/500\': HTTP status was \'500 Internal Server Error\' | file(con, "r")',
		'error: cannot open the connection to \'http://127.0.0.1:PORT/500\' | file(con, "r")', 'NULL',
	]],
	['refused', 'download.file(N, f)', [
		"trying URL 'http://127.0.0.1:NOWHERE/x'",
		"warning: URL 'http://127.0.0.1:NOWHERE/x': status was 'Could not connect to server' | download.file(N, f)",
		"error: cannot open URL 'http://127.0.0.1:NOWHERE/x' | download.file(N, f)", 'NULL',
	]],
	['an unknown name', 'readLines("http://no.such.name.invalid/x")', [
		"warning: URL 'http://no.such.name.invalid/x': status was 'Could not resolve hostname' | file(con, \"r\")",
		"error: cannot open the connection to 'http://no.such.name.invalid/x' | file(con, \"r\")", 'NULL',
	]],
	['options(timeout)', '{ options(timeout = 1); on.exit(options(timeout = 60)); readLines(paste0(U, "/never")) }', [
		"warning: URL 'http://127.0.0.1:PORT/never': Timeout of 1 seconds was reached | file(con, \"r\")",
		"error: cannot open the connection to 'http://127.0.0.1:PORT/never' | file(con, \"r\")", 'NULL',
	]],
	['half a file', 'download.file(paste0(U, "/cut"), f, quiet = TRUE)', [
		"warning: URL 'http://127.0.0.1:PORT/cut': status was 'Transferred a partial file' | download.file(paste0(U, \"/cut\"), f, quiet = TRUE)",
		"error: download from 'http://127.0.0.1:PORT/cut' failed | download.file(paste0(U, \"/cut\"), f, quiet = TRUE)", 'NULL',
	]],
];
for (const [what, code, lines] of ROWS) {
	test(`${what}: as desktop R`, async () => {
		assert.deepEqual(await said(code), lines);
		await r.evalR('options(timeout = 60)');
	});
}

test('every byte arrives', async () => {
	await r.evalR('download.file(paste0(U, "/big"), f, mode = "wb", quiet = TRUE)');
	const same = `i <- seq_len(${BIG_BYTES}) - 1; want <- as.raw((i * 7 + (i %/% 256) * 13) %% 256);`;
	assert.equal(await r.evalR(`${same} identical(readBin(f, raw(), 4e6), want)`), true);
	assert.equal(await r.evalR(`${same} con <- url(paste0(U, "/big"), "rb"); got <- readBin(con, raw(), 4e6); close(con); identical(got, want)`), true);
	assert.deepEqual(await r.evalR('unlist(read.csv(paste0(U, "/ok.csv")), use.names = FALSE)'), [1, 3, 2, 4]);
});

test('header fields arrive, also those that browsers keep for themselves', async () => {
	const lines = await r.evalR('readLines(url(paste0(U, "/fields"), headers = c("X-Test" = "yes", "User-Agent" = "me", Cookie = "a=b")))');
	for (const line of ['x-test: yes', 'user-agent: me', 'cookie: a=b']) assert.ok(lines.includes(line), `${lines}`);
});

test('what the browser may read is asked by the browser alone', async () => {
	asked.length = 0;
	assert.equal(await r.evalR('readLines(paste0(U, "/open"))'), 'open');
	assert.deepEqual(asked.map(({ headers }) => headers['sec-fetch-mode']), ['cors']);
});

test('https: CURL_CA_BUNDLE has the authorities; without it the certificate is refused, in words', async () => {
	const address = `https://127.0.0.1:${web.ports.https}/text`;
	const refused = await said(`readLines("${address}")`);
	assert.match(refused[0], /^warning: URL 'https:.*': status was '.*the certificate of 127\.0\.0\.1 was signed by an unknown authority/);
	await r.evalR(`writeLines(${JSON.stringify(web.roots)}, "/tmp/ca.pem"); Sys.setenv(CURL_CA_BUNDLE = "/tmp/ca.pem"); NULL`);
	assert.equal(await r.evalR(`length(readLines("${address}", warn = FALSE)) > 0`), true);
	await r.evalR('Sys.setenv(CURL_CA_BUNDLE = "/tmp/nothing"); NULL');
	assert.match((await said(`readLines("${address}")`))[0], /CURL_CA_BUNDLE is \/tmp\/nothing, which R cannot read/);
	await r.evalR('Sys.unsetenv("CURL_CA_BUNDLE"); NULL');
});

test('a denied address says so', async () => {
	assert.match((await said('download.file("http://127.0.0.1:9/x", f, quiet = TRUE)'))[0], /^warning: URL 'http:\/\/127\.0\.0\.1:9\/x': status was 'denied: .*' \| download\.file/);
});

test('R\'s interrupt ends a download that stands still, and the next one works', async () => {
	for (const code of ['download.file(paste0(U, "/drip"), f, quiet = TRUE)', 'readLines(paste0(U, "/drip"))']) {
		asked.length = 0;
		const waiting = r.evalR(code).then(() => 'ended', (error) => error.message);
		await until(() => asked.some(({ headers }) => !headers['sec-fetch-mode']), 'the tunnel has asked', 60_000);
		await r.interrupt();
		assert.notEqual(await waiting, 'ended');
		assert.equal(await r.evalR('length(readLines(paste0(U, "/ok.csv")))'), 3);
	}
});

test('failures leave R\'s memory as it was', async () => {
	assert.equal(await r.evalR(`for (i in 1:50) suppressWarnings(try(readLines(url(paste0(U, "/missing"))), silent = TRUE)); for (n in 1:3) suppressWarnings(gc()); x <- lapply(1:100, function(i) rnorm(1e4)); length(x)`), 100);
});
