// Sessions that survive: real webR in Chromium, and between the page and the server a
// connection that fails.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startProxy } from './harness/proxy.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { block, md5, MEGABYTE } from './harness/targets.js';
import { until } from './harness/until.js';
import { withWebR } from './harness/webr.js';

/** How much is moved while connections are cut. */
const MEGABYTES = 20;

/** The server finds a dead connection in two of these. */
const KEEPALIVE = '1s';
const GRACE_MS = 4000;

/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {import('./harness/webr.js').R} */
let r;
/** @type {Record<string, number>} */
let ports;

const flags = () => ['--keepalive', KEEPALIVE, '--grace', `${GRACE_MS}ms`, '--admin', '127.0.0.1:0'];

const world = suite({
	flags,
	async ready({ targets, sockmux, alsoStop }) {
		ports = targets.ports;
		proxy = await startProxy(sockmux.port);
		alsoStop(proxy);
		await start();
	},
});

/** A new page with webR, its tunnel through the proxy, and every state that it tells kept in `states`. */
async function start() {
	page = await world.newPage();
	await page.addInitScript((url) => {
		const scope = /** @type {any} */ (globalThis);
		if (scope.top === scope) scope.sockmux = { url };
	}, proxy.origin);
	await page.goto(`${world.site.origin}/webr.html`);
	await page.evaluate(() => {
		const scope = /** @type {any} */ (globalThis);
		scope.states = [];
		scope.sockmux.on('state', (/** @type {any} */ state) => scope.states.push(state));
	});
	r = await withWebR(page);
}

const states = () => page.evaluate(() => /** @type {any} */ (globalThis).states);
const status = () => page.evaluate(() => /** @type {any} */ (globalThis).sockmux.status);

const open = (/** @type {string} */ name) => `con <- socketConnection("127.0.0.1", ${ports[name]}L, open = "r+b", blocking = TRUE, timeout = 60)\n`;

/** R code whose value is the MD5 of each megabyte of a download. */
const download = () => `${open('download')}
	writeLines("${MEGABYTES}", con)
	sums <- character()
	buffer <- raw()
	repeat {
		more <- readBin(con, raw(), ${MEGABYTE} - length(buffer))
		buffer <- c(buffer, more)
		if (length(buffer) == ${MEGABYTE} || (length(more) == 0 && length(buffer) > 0)) {
			sums <- c(sums, unname(tools::md5sum(bytes = buffer)))
			buffer <- raw()
		}
		if (length(more) == 0) break
	}
	close(con)
	sums`;

/** R code whose value is what the target says of an upload: the MD5 of each megabyte. */
const upload = () => `${open('upload')}
	writeLines("${MEGABYTES * MEGABYTE}", con)
	for (i in seq_len(${MEGABYTES})) writeBin(rep(as.raw(i), ${MEGABYTE}), con)
	sums <- readLines(con)
	close(con)
	sums`;

const downloaded = () => Array.from({ length: MEGABYTES }, (_, i) => md5(block(i)));
const uploaded = () => Array.from({ length: MEGABYTES }, (_, i) => md5(Buffer.alloc(MEGABYTE, i + 1)));

for (const how of /** @type {const} */ (['reset', 'hole'])) {
	for (const [what, code, want] of /** @type {const} */ ([['download', download, downloaded], ['upload', upload, uploaded]])) {
		test(`a connection that is lost during a ${what} (${how}) loses no byte`, { timeout: 120_000 }, async () => {
			const before = (await states()).length;
			const from = proxy.moved;
			const taken = proxy.taken;
			const moving = r.evalR(code(), 110_000);
			await until(() => proxy.moved > from + 5 * MEGABYTE, 'some of the bytes', 60_000);
			proxy.cut(how);
			await until(() => proxy.taken > taken, 'another connection', 20_000);
			assert.deepEqual(await moving, want());
			const seen = (await states()).slice(before).map((/** @type {any} */ s) => s.state);
			assert.ok(seen.includes('resuming'), `the page saw ${seen}`);
			assert.equal((await status()).state, 'open');
		});
	}
}

describe('what the page can see', () => {
	test('resuming says since when and which attempt; open follows', { timeout: 60_000 }, async () => {
		assert.equal(await r.evalR(`${open('echo')} writeLines("one", con); readLines(con, 1)`), 'one');
		const before = (await states()).length;
		const at = Date.now();
		const { port } = proxy;
		proxy.port = ports.refused;
		proxy.cut('reset');
		const resuming = await until(async () => (await states()).slice(before).find((/** @type {any} */ s) => s.state === 'resuming' && s.attempt >= 3), 'a third attempt', 10_000);
		assert.ok(resuming.since >= at - 1000 && resuming.since <= Date.now(), `since ${resuming.since}`);
		proxy.port = port;
		await until(async () => (await status()).state === 'open', 'open again', 20_000);
		assert.equal(await r.evalR('writeLines("two", con); answer <- readLines(con, 1); close(con); answer'), 'two');
	});

	test('the network goes and comes back (CDP): the socket lives', { timeout: 60_000 }, async () => {
		assert.equal(await r.evalR(`${open('echo')} writeLines("before", con); readLines(con, 1)`), 'before');
		const cdp = await page.context().newCDPSession(page);
		const away = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
		await cdp.send('Network.emulateNetworkConditions', { ...away, offline: true });
		proxy.cut('reset'); // the emulation leaves WebSockets that are open alone
		await until(async () => (await status()).state === 'resuming', 'it resumes', 10_000);
		await cdp.send('Network.emulateNetworkConditions', { ...away, offline: false });
		await until(async () => (await status()).state === 'open', 'open again', 10_000);
		assert.equal(await r.evalR('writeLines("after", con); answer <- readLines(con, 1); close(con); answer'), 'after');
	});

	test('a server that was killed (SIGKILL): the page resumes, then hears that the session is gone; the next socket works', { timeout: 120_000 }, async () => {
		const serve = () => startSockmux(['--allow-origin', world.site.origin, '--allow', `127.0.0.1:${ports.echo}`, ...flags()]);
		const first = await serve();
		const next = await serve();
		try {
			proxy.port = first.port;
			proxy.cut('reset');
			await until(async () => (await status()).state === 'closed', 'the session of the usual server is left', 10_000);
			assert.equal(await r.evalR(`${open('echo')} writeLines("before", con); readLines(con, 1)`), 'before');
			const before = (await states()).length;
			first.signal('SIGKILL');
			await until(async () => (await states()).slice(before).some((/** @type {any} */ s) => s.state === 'resuming' && s.attempt >= 2), 'it tries to resume', 10_000);
			proxy.port = next.port;
			await until(async () => (await states()).slice(before).some((/** @type {any} */ s) => s.state === 'closed' && JSON.stringify(s.reason).includes('unknown_session')), 'the session is gone', 20_000);
			assert.equal(await r.evalR('n <- length(readLines(con)); close(con); n', 15_000), 0);
			assert.equal(await r.evalR(`${open('echo')} writeLines("again", con); answer <- readLines(con, 1); close(con); answer`), 'again');
		} finally {
			proxy.port = world.sockmux.port;
			proxy.cut('reset');
			await first.stop();
			await next.stop();
		}
	});

	test('a server that was restarted: the socket ends, the next one works', { timeout: 120_000 }, async () => {
		await r.evalR(`${open('echo')} writeLines("before", con); readLines(con, 1)`);
		const next = await startSockmux(['--allow-origin', world.site.origin, '--allow', `127.0.0.1:${ports.echo}`, ...flags()]);
		try {
			const before = (await states()).length;
			proxy.port = next.port;
			proxy.cut('reset');
			const refused = (/** @type {any} */ s) => JSON.stringify(s.reason)?.includes('unknown_session');
			await until(async () => (await states()).slice(before).some(refused), 'the session is refused', 10_000);
			assert.equal(await r.evalR('n <- length(readLines(con)); close(con); n', 15_000), 0);
			assert.equal(await r.evalR(`${open('echo')} writeLines("again", con); answer <- readLines(con, 1); close(con); answer`), 'again');
		} finally {
			proxy.port = world.sockmux.port;
			proxy.cut('reset');
			await next.stop();
		}
	});
});

/** What the server holds, by its own figures. */
async function held() {
	const address = world.sockmux.logs.map((line) => /"listening for operators".*?(127\.0\.0\.1:\d+)/.exec(line)?.[1]).find(Boolean);
	const text = async (/** @type {string} */ path) => (await fetch(`http://${address}${path}`)).text();
	const heap = /# HeapAlloc = (\d+)/.exec(await text('/debug/pprof/heap?gc=1&debug=1'))?.[1];
	const goroutines = /total (\d+)/.exec(await text('/debug/pprof/goroutine?debug=1'))?.[1];
	const { sessions } = JSON.parse(await text('/status.json'));
	return { sessions: sessions.live + sessions.parked, files: readdirSync(`/proc/${world.sockmux.pid}/fd`).length, goroutines: Number(goroutines), heap: Number(heap) };
}

/**
 * What is no session: connections that a browser keeps for files, timers, buffers that
 * are kept.
 */
const SPARE = { sessions: 0, files: 4, goroutines: 8, heap: 4 * 1024 * 1024 };

const SOCKETS = 30;

test('a tab that is reloaded leaves nothing in the server after the grace period', { timeout: 180_000 }, async (t) => {
	await page.close();
	await until(async () => (await held()).sessions === 0, 'the sessions of the other tests are gone', 4 * GRACE_MS);
	await start();
	const before = await held();
	const closed = world.targets.closed.silent;
	await r.evalR(`cons <- lapply(1:${SOCKETS}, function(i) socketConnection("127.0.0.1", ${ports.silent}L, open = "r+b", blocking = TRUE, timeout = 20)); length(cons)`);
	const busy = await held();
	assert.ok(busy.sessions === 1 && busy.files > before.files + SOCKETS, `with ${SOCKETS} sockets ${JSON.stringify(busy)}, before ${JSON.stringify(before)}`);
	await page.reload();
	await until(() => world.targets.closed.silent >= closed + SOCKETS, 'the targets see the end', 4 * GRACE_MS);
	let after = busy;
	const calm = async () => {
		after = await held();
		return /** @type {const} */ (['sessions', 'files', 'goroutines', 'heap']).every((what) => after[what] <= before[what] + SPARE[what]);
	};
	await until(calm, 'the server is as it was', 4 * GRACE_MS).catch((error) => assert.fail(`${error.message}: ${JSON.stringify({ before, busy, after })}`));
	t.diagnostic(`before ${JSON.stringify(before)}, with ${SOCKETS} sockets ${JSON.stringify(busy)}, after ${JSON.stringify(after)}`);
});
