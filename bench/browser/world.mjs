// Starts all that the browser benchmark needs, each in a process of its own: the peers
// (services, plain relay, lines), bin/bench-sockmux, the Wisp server, the website, and
// Chromium.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createTCPServer, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { constants } from 'node:zlib';
import { launch } from './chromium.mjs';
import { HOST, root } from './place.mjs';
import { startSite } from './site.mjs';

/** How long a process may take to listen. */
const START_MS = 20_000;

/** Streams at once: the largest measurement has 1000. */
const MAX_STREAMS = 2000;

/** What was started, ended in the opposite order by stop(). */
const cleanups = [];

export async function stop() {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Runs a program until stop(). */
export function run(command, args, options = {}) {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
	child.on('error', (error) => {
		throw new Error(`${command} does not start: ${error.message}`);
	});
	const exited = once(child, 'exit');
	cleanups.push(async () => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		child.kill('SIGKILL'); // nothing of it is needed any more, and some rivals take their time
		await exited;
	});
	return child;
}

let nextPort = 20_000 + Math.floor(10_000 * Math.random());

/**
 * A port for a program that cannot choose one itself: below those that systems give to
 * programs that ask for any (Linux: from 32768 on), so that it is still free when the
 * program listens.
 */
export async function freePort() {
	for (;;) {
		const port = nextPort++;
		const server = createTCPServer();
		const free = await new Promise((resolve) => { server.once('error', () => resolve(false)).listen(port, HOST, () => resolve(true)); });
		if (!free) continue;
		server.close();
		await once(server, 'close');
		return port;
	}
}

/** Resolves when a program listens on the port. */
export async function listening(port, what, child) {
	const end = performance.now() + START_MS;
	for (;;) {
		const socket = connect(port, HOST);
		const up = await new Promise((resolve) => { socket.once('connect', () => resolve(true)).once('error', () => resolve(false)); });
		socket.destroy();
		if (up) return;
		if (child && (child.exitCode !== null || child.signalCode !== null)) throw new Error(`${what} ended at its start`);
		if (performance.now() > end) throw new Error(`${what} does not listen on port ${port} after ${START_MS} ms`);
		await new Promise((resolve) => { setTimeout(resolve, 25); });
	}
}

/** The peers: their ports, and lines on request. */
async function startPeers() {
	const child = run(join(root, 'bin/bench-peers'), ['-relay', HOST]);
	const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
	const answer = async () => JSON.parse((await answers.next()).value);
	const ports = await answer();
	/** Asks for a line to a port and gives its own port; one wish at a time. */
	let last = Promise.resolve();
	const line = (to, { rtt = 0, rate = 0 } = {}) => (last = last.then(async () => {
		child.stdin.write(`${JSON.stringify({ to, rtt, rate })}\n`);
		return (await answer()).port;
	}));
	return { ports, line };
}

async function startWisp() {
	const port = await freePort();
	const script = join(root, 'bench/node_modules/@mercuryworkshop/wisp-js/src/bin/server_cli.mjs');
	const child = run(process.execPath, [script, '--host', HOST, '--port', `${port}`, '--logging', 'NONE', '--options', '{"allow_loopback_ips":true,"allow_private_ips":true}']);
	await listening(port, 'wisp-js-server', child);
	return port;
}

/**
 * The built tree's server with its script and wasm.
 * @param {string} tree
 */
async function startServer(tree, origin, ports) {
	const [port, hook] = [await freePort(), await freePort()];
	const allowed = ['echo', 'source', 'text', 'sink', 'pour', 'drain', 'socks'].flatMap((name) => ['--allow', `127.0.0.1:${ports[name]}`]);
	allowed.push('--allow', `udp://127.0.0.1:${ports.datagrams}`);
	const binary = join(tree, 'bin/bench-sockmux');
	const child = run(binary, ['--listen', `${HOST}:${port}`, ...(HOST === '127.0.0.1' ? [] : ['--insecure-no-auth']), '--allow-origin', origin, '--log-level', 'warn', '--max-streams', `${MAX_STREAMS}`, ...allowed],
		{ stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, BENCH_HOOK: `127.0.0.1:${hook}` } });
	await listening(port, binary, child);
	return { port, hook: `http://127.0.0.1:${hook}`, script: `http://${HOST}:${port}`, tree };
}

const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

async function startChromium(origin) {
	const browser = await launch(CHROMIUM, origin);
	cleanups.push(() => browser.close());
	return browser;
}

/**
 * Gives a browser with a new profile to `use`.
 * @template T
 * @param {(profile: { newPage: () => Promise<any> }) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withProfile(use) {
	const browser = await launch(CHROMIUM);
	try {
		return await use(browser.profile);
	} finally {
		await browser.close();
	}
}

/**
 * The world of the benchmark. `base` is a second built tree, whose server, script and wasm are the
 * rival "base". `rivals` are those to measure beside sockmux.
 * @typedef {Awaited<ReturnType<typeof startWorld>>} World
 * @param {{ smoke?: boolean, base?: string, rivals?: string[] }} [options]
 */
export async function startWorld({ smoke = false, base, rivals } = {}) {
	for (const file of ['bin/bench-peers', 'bin/bench-sockmux', 'bin/bench-empty.wasm']) {
		if (!existsSync(join(root, file))) throw new Error(`${file} is missing: run make bench-deps`);
	}
	if (base !== undefined && !existsSync(join(base, 'bin/bench-sockmux'))) throw new Error(`--base ${base}: bin/bench-sockmux is missing there: run make bench-deps in it`);
	const { ports, line } = await startPeers();
	const { origin, emptyBytes, close } = await startSite(smoke ? constants.BROTLI_MIN_QUALITY : constants.BROTLI_MAX_QUALITY);
	cleanups.push(close);
	/**
	 * The servers of sockmux, by the kind that they are.
	 * @type {Map<string, Awaited<ReturnType<typeof startServer>>>}
	 */
	const servers = new Map([['sockmux', await startServer(root, origin, ports)]]);
	if (base !== undefined) servers.set('base', await startServer(base, origin, ports));
	const server = servers.get('sockmux');
	const wisp = await startWisp();
	const browser = await startChromium(origin);

	/**
	 * What is measured of these kinds: without the rivals that are not wanted, with the
	 * base.
	 * @param {string[]} kinds
	 */
	const kindsOf = (kinds) => [...servers.keys(), ...kinds.filter((kind) => kind !== 'sockmux' && (rivals?.includes(kind) ?? true))];

	/**
	 * A page in a fresh context with the rival ready, over the given line if there is
	 * one. A page that is to be fresh has no socket yet.
	 * @param {{ kind: string, path?: { rtt?: number, rate?: number }, attributes?: Record<string, string>, fresh?: boolean }} options
	 */
	async function newPage({ kind, path, attributes = {}, fresh = false }) {
		const over = async (port) => (path ? line(port, path) : port);
		const query = new URLSearchParams();
		if (kind === 'native') query.set('relay', `${HOST}:${await over(ports.relay)}`);
		else if (kind === 'wisp') query.set('wisp', `ws://${HOST}:${await over(wisp)}/wisp/`);
		else {
			const { script, port } = servers.get(kind);
			query.set('script', script);
			if (path) query.set('data-url', `http://${HOST}:${await over(port)}/`);
			for (const [name, value] of Object.entries(attributes)) query.set(`data-${name}`, value);
		}
		const context = await browser.newContext();
		const page = await context.newPage();
		await page.goto(`${origin}/page.html?${query}`);
		await page.waitFor(() => Boolean(window.bench));
		if (!fresh) await page.evaluate(([k, port]) => window.bench.firstEcho({ kind: k, port }), [kind, ports.echo]);
		return { ...page, close: () => context.close() };
	}

	/**
	 * A page for each kind, with the same options. @param {string[]} kinds
	 * @param {{ path?: { rtt?: number, rate?: number }, attributes?: Record<string, string> }} [options]
	 */
	async function newPages(kinds, options = {}) {
		const pages = {};
		for (const kind of kinds) pages[kind] = await newPage({ kind, ...options });
		return pages;
	}
	return { ports, line, origin, emptyBytes, server, servers, script: server.script, wisp, browser, kindsOf, newPage, newPages };
}
