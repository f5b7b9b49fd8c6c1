// Real, unmodified webR in a page that has nothing but the script tag.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { watchMemory } from './harness/memory.js';
import { suite } from './harness/suite.js';
import { block, md5, MEGABYTE, PORT_MESSAGE } from './harness/targets.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

/** What takes longer than this has not failed "within one dial". */
const DIAL_MS = 8000;

/**
 * By how much the memory of page and worker may grow while 100 MB go through. The browser
 * lets up to 90 MB of buffers that are not used any more lie before it collects them (the
 * same for 200 MB); a copy of all that went through would come on top. What waits for R
 * is measured without that, by the test of a reader that pauses.
 */
const FLAT_BYTES = 150 * MEGABYTE;

/**
 * A TCP connect to the loopback's broadcast address fails at once, everywhere, without a
 * packet.
 */
const UNREACHABLE = '127.255.255.255';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	flags: () => ['--demo', '--allow', `${UNREACHABLE}:80`],
	async ready({ targets, site, newPage }) {
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/webr.html`);
		r = await withWebR(page);
	},
});

/** R code that opens a connection called con. */
const open = (/** @type {string} */ name, more = '') => `con <- socketConnection("127.0.0.1", ${ports[name]}L, open = "r+b", blocking = TRUE, timeout = 20${more})\n`;

/** R code whose value is the number of seconds that `code` took. */
const seconds = (/** @type {string} */ code) => `t0 <- proc.time()[["elapsed"]]; ${code}; proc.time()[["elapsed"]] - t0`;

const status = () => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status);
const streams = () => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().streams);
const live = async () => (await streams()).filter((/** @type {any} */ s) => s.closedAt === null);

/** The page's WebSockets to the server. */
const carriers = () => page.carriers.filter((url) => url.startsWith(world.sockmux.origin.replace('http', 'ws')));

describe('connect, write and read', () => {
	test('at once, without a pause in between', async () => {
		assert.equal(await r.evalR(`${open('echo')}
			writeLines("hello from R", con)
			answer <- readLines(con, 1)
			close(con)
			answer`), 'hello from R');
	});

	test('by a host name', async () => {
		assert.equal(await r.evalR(`con <- socketConnection("demo.test", ${ports.line}L, blocking = TRUE, timeout = 20)
			answer <- readLines(con)
			close(con)
			answer`), 'one line');
	});

	test('bytes of every value come back as they were', async () => {
		assert.equal(await r.evalR(`${open('echo')}
			sent <- as.raw(rep(0:255, 100))
			writeBin(sent, con)
			got <- raw()
			while (length(got) < length(sent)) {
				more <- readBin(con, raw(), length(sent) - length(got))
				if (length(more) == 0) stop("the end after ", length(got), " bytes")
				got <- c(got, more)
			}
			close(con)
			identical(got, sent)`), true);
	});

	test('with make.socket, write.socket and read.socket', async () => {
		assert.equal(await r.evalR(`s <- make.socket("127.0.0.1", ${ports.echo}L)
			write.socket(s, "old style\\n")
			answer <- read.socket(s, loop = TRUE)
			close.socket(s)
			answer`), 'old style\n');
		assert.match(await r.evalR(`tryCatch({ make.socket("127.0.0.1", ${ports.refused}L); "opened" }, error = conditionMessage)`), /socket not established/);
	});

	test('url() and readLines of an address go on through the browser, as in plain webR', async () => {
		assert.equal(await r.evalR(`con <- url("http://127.0.0.1:${ports.http}/")
			answer <- readLines(con)
			close(con)
			answer`), 'served');
	});
});

describe('the end', () => {
	test('readLines reads to the end of the stream, the unfinished line included', async () => {
		assert.deepEqual(await r.evalR(`${open('lines')}
			answer <- suppressWarnings(readLines(con))
			close(con)
			answer`), ['first', 'second', 'third']);
	});

	test('it comes when the peer ends, not when the timeout does', async () => {
		const took = await r.evalR(`${open('slow')}${seconds('x <- readLines(con)')} -> took
			close(con)
			stopifnot(identical(x, "late"))
			took`);
		assert.ok(took > 0.5 && took < 10, `${took} s for a peer that ends after 1 s, timeout 20 s`);
	});

	test('after the server has ended its direction R still writes, and the target sees it', async () => {
		const seen = world.targets.seen.halfclose;
		seen.length = 0;
		assert.equal(await r.evalR(`${open('halfclose')}
			greeting <- readLines(con)
			stopifnot(length(readBin(con, raw(), 1)) == 0)
			writeLines(c("still", "writing"), con)
			close(con)
			greeting`), 'greeting');
		await until(() => Buffer.concat(seen).toString() === 'still\nwriting\n', 'bytes after the half-close');
	});

	test('a line before a reset arrives, even if it is read after the reset; then reading ends', async () => {
		const answer = await r.evalR(`${open('reset')}
			first <- readBin(con, raw(), 1)
			other <- socketConnection("127.0.0.1", ${ports.slow}L, open = "r+b", blocking = TRUE, timeout = 20)
			stopifnot(identical(readLines(other), "late")) # the reset has come meanwhile
			close(other)
			line <- readLines(con, 1)
			rest <- tryCatch(suppressWarnings(length(readBin(con, raw(), 10))), error = function(e) 0L)
			close(con)
			list(line = paste0(rawToChar(first), line), rest = rest)`);
		assert.deepEqual(answer, { line: 'before the reset', rest: 0 });
	});

	test('a first message that SOCKFS takes for its own arrives', async () => {
		const answer = await r.evalR(`${open('portlike')}
			got <- readBin(con, raw(), 10)
			rest <- readLines(con)
			close(con)
			c(paste(format(got), collapse = ""), rest)`);
		assert.deepEqual(answer, [PORT_MESSAGE.toString('hex'), 'rest']);
	});

	test('what was written before close() is delivered', async () => {
		assert.equal(await r.evalR(`s <- socketConnection("demo.test", ${ports.halfclose}L, open = "wb", blocking = TRUE, timeout = 20)
			writeBin(as.raw(rep(1:250, 4000)), s)
			close(s)
			TRUE`), true);
		await until(() => Buffer.concat(world.targets.seen.halfclose).length >= MEGABYTE, 'a megabyte written before close()');
	});
});

describe('a connection that cannot be made is an R error within one dial, and the page says why', () => {
	/** @type {[string, () => [host: string, port: number], string][]} */
	const cases = [
		['refused', () => ['127.0.0.1', ports.refused], 'refused'],
		['unreachable', () => [UNREACHABLE, 80], 'network_unreachable'],
		['denied by the policy', () => ['127.0.0.1', ports.denied], 'denied'],
		['a name that does not exist', () => ['nobody.test', 80], 'name_not_found'],
		['an address of Emscripten\'s fake DNS', () => ['172.29.200.200', 80], 'fake_address'],
		['a host with a path in it', () => ['demo.test/a/b', 80], 'invalid_request'],
		['a host with a space in it', () => ['demo.test evil', 80], 'invalid_request'],
	];
	for (const [title, target, name] of cases) {
		test(title, async () => {
			const [host, port] = target();
			const at = page.lines.length;
			const before = Date.now();
			const { value, ms } = await r.timedR(`tryCatch({
					con <- suppressWarnings(socketConnection(${JSON.stringify(host)}, ${port}L, blocking = TRUE, timeout = 20))
					close(con)
					"opened"
				}, error = conditionMessage)`);
			assert.equal(value, 'cannot open the connection');
			assert.ok(ms < DIAL_MS, `${ms} ms`);
			const said = await until(() => page.lines.slice(at).find((line) => line.includes('sockmux') && line.includes(name)), `a console line with ${name}`);
			assert.ok(said.includes(`${host.split('/')[0]}`), said);
			const { lastError } = await status();
			assert.equal(lastError.name, name);
			assert.ok(lastError.at >= before - 1000 && lastError.text !== '', JSON.stringify(lastError));
		});
	}

	test('the service that is denied has never seen a connection', () => {
		assert.equal(world.targets.closed.denied, 0);
	});

	test('R can tell the reason itself: the warning names the target', async () => {
		assert.match(await r.evalR(`tryCatch(socketConnection("127.0.0.1", ${ports.refused}L, timeout = 20), warning = conditionMessage)`), new RegExp(`127\\.0\\.0\\.1:${ports.refused} cannot be opened`));
	});
});

describe('waiting', () => {
	test('a timeout lasts what it says', async () => {
		const took = await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 2)
			took <- {${seconds('x <- suppressWarnings(readLines(con, 1))')}}
			close(con)
			stopifnot(length(x) == 0)
			took`);
		assert.ok(took > 1.8 && took < 4, `${took} s for timeout = 2`);
	});

	test('socketTimeout changes it', async () => {
		const took = await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 60)
			stopifnot(socketTimeout(con) == 60)
			stopifnot(socketTimeout(con, 1) == 60, socketTimeout(con) == 1)
			took <- {${seconds('x <- suppressWarnings(readBin(con, raw(), 1))')}}
			close(con)
			stopifnot(length(x) == 0)
			took`);
		assert.ok(took > 0.8 && took < 3, `${took} s for a timeout of 1 s`);
	});

	test('socketSelect waits as told and sees what is ready', async () => {
		const answer = await r.evalR(`cons <- lapply(c(${ports.silent}L, ${ports.echo}L), function(p) socketConnection("127.0.0.1", p, open = "r+b", blocking = TRUE, timeout = 20))
			nothing <- socketSelect(cons, timeout = 0)
			took <- {${seconds('still <- socketSelect(cons, timeout = 1)')}}
			writable <- socketSelect(cons, write = TRUE, timeout = 5)
			writeLines("wake up", cons[[2]])
			ready <- socketSelect(cons, timeout = 10)
			got <- readLines(cons[[2]], 1)
			for (con in cons) close(con)
			list(nothing = nothing, still = still, took = took, writable = writable, ready = ready, got = got)`);
		assert.deepEqual({ ...answer, took: null }, {
			nothing: [false, false], still: [false, false], took: null, writable: [true, true], ready: [false, true], got: 'wake up',
		});
		assert.ok(answer.took > 0.8 && answer.took < 3, `${answer.took} s for timeout = 1`);
	});

	test('a non-blocking socket gives what is there and never waits', async () => {
		const answer = await r.evalR(`con <- socketConnection("127.0.0.1", ${ports.echo}L, open = "r+b", blocking = FALSE, timeout = 20)
			took <- {${seconds('empty <- readBin(con, raw(), 100)')}}
			writeLines("later", con)
			stopifnot(socketSelect(list(con), timeout = 10))
			got <- readLines(con)
			close(con)
			list(empty = length(empty), took = took, got = got)`);
		assert.deepEqual({ ...answer, took: null }, { empty: 0, took: null, got: 'later' });
		assert.ok(answer.took < 1, `${answer.took} s`);
	});

	test('an interrupt ends a blocked read, and R goes on', async () => {
		const blocked = r.evalR(`con <- socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 600)
			writeLines("I am about to read", con)
			readLines(con, 1)
			"read"`).then((value) => ({ value }), (error) => ({ error }));
		await until(async () => (await live()).some((/** @type {any} */ s) => s.target.endsWith(`:${ports.silent}`) && s.bytesOut > 0), 'R to write, just before it blocks');
		const began = performance.now();
		await r.interrupt();
		const outcome = await blocked;
		assert.ok('error' in outcome, `R went on: ${JSON.stringify(outcome)}`);
		assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
		assert.equal(await r.evalR('close(con); 6 * 7'), 42);
	});
});

describe('many', () => {
	test('120 sockets at once are streams of one WebSocket', async () => {
		const done = r.evalR(`cons <- lapply(1:120, function(i) socketConnection("127.0.0.1", ${ports.echo}L, open = "r+b", blocking = TRUE, timeout = 30))
			for (i in 1:120) writeLines(paste("socket", i), cons[[i]])
			right <- vapply(1:120, function(i) identical(readLines(cons[[i]], 1), paste("socket", i)), NA)
			for (con in cons) close(con)
			sum(right)`);
		let most = 0;
		const all = await until(async () => {
			most = Math.max(most, (await live()).length);
			return Promise.race([done, Promise.resolve(undefined)]);
		}, '120 echoes', 60_000);
		assert.equal(all, 120);
		assert.ok(most >= 100, `${most} streams seen at once`);
		assert.equal(carriers().length, 1, carriers().join(' '));
	});

	test('300 host names, each its own', async () => {
		const count = await r.evalR(`sum(vapply(1:300, function(i) {
				con <- socketConnection(sprintf("h%d.test", i), ${ports.line}L, open = "rb", blocking = TRUE, timeout = 20)
				line <- readLines(con)
				close(con)
				identical(line, "one line")
			}, NA))`);
		assert.equal(count, 300);
		const wanted = Array.from({ length: 300 }, (_, i) => `h${i + 1}.test:${ports.line}`).sort();
		const named = () => world.sockmux.logs.filter((line) => line.includes('"stream"')).map((line) => JSON.parse(line).target).filter((target) => /^h\d+\.test:/.test(target));
		await until(() => named().length >= 300, '300 streams in the server\'s log');
		assert.deepEqual(named().sort(), wanted);
	});

	test('closing gives everything back: no stream is left, and R can open again', async () => {
		await until(async () => (await live()).length === 0, 'all streams ended');
		assert.equal(await r.evalR(`${open('line')} x <- readLines(con); close(con); x`), 'one line');
	});
});

describe('100 MB each way, every byte, in flat memory', () => {
	test('down', async () => {
		// Twenty megabytes first: what R, Go and the page take once and keep is there then.
		const code = (/** @type {number} */ count) => `${open('download')}
			writeLines("${count}", con)
			sums <- character()
			buffer <- raw()
			repeat {
				more <- readBin(con, raw(), ${MEGABYTE} - length(buffer))
				buffer <- c(buffer, more)
				if (length(buffer) == ${MEGABYTE} || (length(more) == 0 && length(buffer) > 0)) {
					sums <- c(sums, tools::md5sum(bytes = buffer))
					buffer <- raw()
				}
				if (length(more) == 0) break
			}
			close(con)
			unname(sums)`;
		await r.evalR(code(20));
		const { value: sums, before: memory, peak } = await watchMemory(world.browser, () => r.evalR(code(100), 120_000));
		assert.deepEqual(sums, Array.from({ length: 100 }, (_, i) => md5(block(i))));
		assert.ok(peak - memory < FLAT_BYTES, `${Math.round((peak - memory) / MEGABYTE)} MB more`);
		console.log(`    100 MB down: ${Math.round((peak - memory) / MEGABYTE)} MB more at most`);
	});

	test('up', async () => {
		const { value, before: memory, peak } = await watchMemory(world.browser, () => r.evalR(`${open('upload')}
			writeLines("${100 * MEGABYTE}", con)
			base <- as.raw((seq_len(${MEGABYTE}) * 7919) %/% 13 %% 256)
			sums <- character()
			for (i in 1:100) {
				base[1:2] <- as.raw(c(i, 255 - i))
				sums <- c(sums, tools::md5sum(bytes = base))
				writeBin(base, con)
			}
			answers <- readLines(con)
			close(con)
			list(same = identical(unname(sums), answers), n = length(answers), distinct = length(unique(answers)))`, 120_000));
		assert.deepEqual(value, { same: true, n: 100, distinct: 100 });
		console.log(`    100 MB up: ${Math.round((peak - memory) / MEGABYTE)} MB more at most`);
		assert.ok(peak - memory < FLAT_BYTES, `${Math.round((peak - memory) / MEGABYTE)} MB more`);
	});

	test('what R does not read stays where it is: a pause costs the page little', async () => {
		const { value, before: memory, peak } = await watchMemory(world.browser, () => r.evalR(`${open('download')}
			writeLines("100", con)
			other <- socketConnection("127.0.0.1", ${ports.slow}L, open = "r+b", blocking = TRUE, timeout = 20)
			line <- readLines(other)
			close(other)
			first <- readBin(con, raw(), 1000)
			close(con)
			list(line = line, n = length(first))`));
		assert.equal(value.line, 'late');
		assert.ok(value.n > 0);
		assert.ok(peak - memory < 40 * MEGABYTE, `${Math.round((peak - memory) / MEGABYTE)} MB more`);
	});

	test('a target that reads slowly holds R back, and the page keeps little', async () => {
		const { value: took, before: memory, peak } = await watchMemory(world.browser, () => r.evalR(`${open('drip')}
			x <- raw(${MEGABYTE})
			took <- {${seconds('for (i in 1:40) writeBin(x, con)')}}
			close(con)
			took`));
		// What the systems and the server hold is on the way; the rest R has to wait for.
		assert.ok(took > 1, `40 MB "written" in ${took} s to a target that takes 10 MB/s`);
		assert.ok(peak - memory < 40 * MEGABYTE, `${Math.round((peak - memory) / MEGABYTE)} MB more`);
	});
});

test('R\'s own world is untouched', async () => {
	const seen = await r.evalR(`rm(list = ls(globalenv(), all.names = TRUE), envir = globalenv())
		Sys.setenv(SOME_NAME = "kept")
		list(ours = length(grep("sockmux", c(names(Sys.getenv()), names(options()), search()), ignore.case = TRUE)), kept = Sys.getenv("SOME_NAME"),
			global = length(ls(globalenv(), all.names = TRUE)), sockets = capabilities("sockets")[[1]])`);
	assert.deepEqual(seen, { ours: 0, kept: 'kept', global: 0, sockets: true });
});

test('through all of this, one WebSocket', () => {
	assert.equal(carriers().length, 1, carriers().join(' '));
});
