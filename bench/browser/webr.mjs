// Real webR: MB/s and sockets a second as base R sees them, with sockmux by its script
// tag alone, and with what webR documents: websockify in front of a SOCKS server. For the
// latter base R needs help, which it gets here: a plain ws:// URL, a time-out so long
// that webR's wrong clock does not reach it (a socket is otherwise closed while it
// connects), and the words of SOCKS spoken in R, because the packages that know SOCKS by
// themselves (curl, httr2) do HTTP only.

import { alternate } from './alternate.mjs';
import { freePort, listening, run } from './world.mjs';

/** Bytes of a line of the service "text" (bench/peers/target.go). */
const LINE_BYTES = 64;

/** What R runs. `dial(port)` gives a connection to a local port. Each function returns seconds. */
const FUNCTIONS = `
  seconds <- function(f) { t <- as.numeric(Sys.time()); f; as.numeric(Sys.time()) - t }
  exactly <- function(con, n) {
    out <- raw(0)
    while (length(out) < n) {
      x <- readBin(con, "raw", n - length(out))
      if (length(x) == 0) stop("the connection ended after ", length(out), " of ", n, " bytes")
      out <- c(out, x)
    }
    out
  }
  count <- function(n) as.raw((n %/% 256^(7:0)) %% 256)
  download <- function(port, n) {
    con <- dial(port); on.exit(close(con))
    seconds({
      writeBin(count(n), con)
      left <- n
      while (left > 0) {
        x <- readBin(con, "raw", min(left, 1e6))
        if (length(x) == 0) stop("the connection ended, ", left, " bytes missing")
        left <- left - length(x)
      }
    })
  }
  upload <- function(port, n) {
    con <- dial(port); on.exit(close(con))
    block <- as.raw(rep(7, 1e6))
    seconds({
      writeBin(count(n), con)
      for (i in seq_len(n / 1e6)) writeBin(block, con)
      exactly(con, 1)
    })
  }
  lines <- function(port, n) {
    con <- dial(port); on.exit(close(con))
    seconds({
      writeBin(count(n), con)
      left <- n / ${LINE_BYTES}
      while (left > 0) {
        x <- readLines(con, min(left, 1e4))
        if (length(x) == 0) stop("the connection ended, ", left, " lines missing")
        left <- left - length(x)
      }
    })
  }
  parallel <- function(port, n, each) {
    cons <- lapply(seq_len(n), function(i) dial(port)); on.exit(for (con in cons) close(con))
    seconds({
      for (con in cons) writeBin(count(each), con)
      for (con in cons) exactly(con, each)
    })
  }
  echoes <- function(port, n) {
    con <- dial(port); on.exit(close(con))
    x <- raw(64)
    seconds(for (i in seq_len(n)) {
      writeBin(x, con)
      exactly(con, 64)
    })
  }
  opens <- function(port, n) seconds(for (i in seq_len(n)) {
    con <- dial(port)
    writeBin(as.raw(1:10), con)
    exactly(con, 10)
    close(con)
  })
  0
`;

const DIAL = {
	sockmux: () => 'dial <- function(port) socketConnection("127.0.0.1", port, open = "r+b", blocking = TRUE, timeout = 60); 0',
	'websockify + SOCKS': (websockify) => `
		webr::eval_js("SOCKFS.websocketArgs.url = 'ws://'; 0")
		dial <- function(port) {
			con <- socketConnection("127.0.0.1", ${websockify}, open = "r+b", blocking = TRUE, timeout = 2e9)
			writeBin(as.raw(c(5, 1, 0)), con)
			if (!identical(exactly(con, 2), as.raw(c(5, 0)))) stop("SOCKS: greeting refused")
			writeBin(as.raw(c(5, 1, 0, 1, 127, 0, 0, 1, port %/% 256, port %% 256)), con)
			if (exactly(con, 10)[2] != as.raw(0)) stop("SOCKS: connection refused")
			con
		}
		0`,
};

/** Each transfer is measured with 1 MB and with so many. */
const LARGE_BYTES = 100e6;

/** R has 128 connections, three of them its own. */
const PARALLEL = 100;
const PARALLEL_BYTES = 1e5;

export const GOAL = '>= 2.0 x websockify + SOCKS';

export async function webr(world, report, size) {
	const { echo, source, text, sink } = world.ports;
	const opens = 10; // websockify starts a process for each, and needs half a second on a busy machine
	const echoes = 100;
	const sizes = [1e6, Math.min(LARGE_BYTES, 2 * size.bytes)];
	const transfers = [['readBin', 'download', source], ['readLines', 'lines', text], ['writeBin', 'upload', sink]].flatMap(([name, call, port]) =>
		sizes.map((bytes) => [`${name} of ${bytes / 1e6} MB`, 'MB/s', GOAL, `${call}(${port}, ${bytes})`, (s) => bytes / 1e6 / s]));
	const pages = {};
	for (const [kind, newPage] of Object.entries(await startersOf(world, report))) pages[kind] = await newPage();
	for (const [name, unit, goal, code, value] of [
		...transfers,
		['one echo of 64 bytes', 'ms', '<= 1.5 ms', `echoes(${echo}, ${echoes})`, (s) => (1000 * s) / echoes],
		[`${PARALLEL} transfers of ${PARALLEL_BYTES / 1e3} kB at once`, 'MB/s', GOAL, `parallel(${source}, ${PARALLEL}, ${PARALLEL_BYTES})`, (s) => (PARALLEL * PARALLEL_BYTES) / 1e6 / s],
		['open, echo, close, one after the other', 'sockets/s', GOAL, `opens(${echo}, ${opens})`, (s) => opens / s],
	]) {
		if (size.cells && !size.cells.some((cell) => name.startsWith(cell))) continue; // such as "readBin of 1 MB"
		const failures = {};
		const values = await alternate(size, Object.keys(pages), async (kind) => {
			if (failures[kind]) return 0;
			try {
				return value(await within(120_000, pages[kind].evaluate((c) => window.evalR(c), code)));
			} catch (error) {
				if (world.servers.has(kind)) throw error;
				failures[kind] = error.message.split('\n')[0]; // a rival that cannot do it has 0, and the reason is told
				return 0;
			}
		});
		report.add({ family: 'webR', name, unit, goal, values });
		for (const [kind, why] of Object.entries(failures)) report.fact(`webR, ${name}, ${kind}`, `fails: ${why}`);
	}
	for (const page of Object.values(pages)) await page.close();
}

/**
 * What starts a page with webR and a dial() in it, by kind.
 * @returns {Promise<Record<string, () => Promise<any>>>}
 */
export async function startersOf(world, report) {
	const starters = {};
	const starter = (query, dial) => async () => {
		const page = await start(world, query);
		await page.evaluate((code) => window.evalR(code), dial);
		return page;
	};
	for (const [kind, { script }] of world.servers) starters[kind] = starter({ script }, DIAL.sockmux());
	const plain = 'websockify + SOCKS';
	if (!world.kindsOf([plain]).includes(plain)) return starters;
	if (process.env.BENCH_WEBSOCKIFY) {
		const port = await freePort();
		run(process.env.BENCH_WEBSOCKIFY, [`127.0.0.1:${port}`, `127.0.0.1:${world.ports.socks}`], { stdio: 'ignore' });
		await listening(port, 'websockify');
		starters[plain] = starter({}, DIAL[plain](port));
	} else {
		report.fact('websockify', 'not there, not measured');
	}
	return starters;
}

/** A page with webR in it. */
async function start(world, query) {
	const context = await world.browser.newContext();
	const page = await context.newPage();
	await page.goto(`${world.origin}/webr.html?${new URLSearchParams(query)}`);
	await page.waitFor(() => window.ready === true);
	await page.evaluate((code) => window.evalR(code), FUNCTIONS);
	return { ...page, close: () => context.close() };
}

export function within(ms, promise) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no end within ${ms} ms`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
