// Chromium by its DevTools protocol over a pipe, and no more of it than is needed: a test
// driver such as Playwright has the browser report each WebSocket message with its
// payload, which costs a multiple of the transport itself.

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beside, HOST } from './place.mjs';

const FLAGS = ['--headless', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-default-browser-check', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows', '--mute-audio'];

/** How often a condition in the page is looked at, and for how long. */
const POLL_MS = 10;
const WAIT_MS = 120_000;

/**
 * Starts a browser with a profile of its own, which goes with it. Pages of the origin count as
 * safe, as those of localhost do: their clocks are as precise.
 * @param {string} executable
 * @param {string} [origin]
 */
export async function launch(executable, origin) {
	const profile = await mkdtemp(join(tmpdir(), 'sockmux-bench-'));
	const safe = origin && HOST !== '127.0.0.1' ? [`--unsafely-treat-insecure-origin-as-secure=${origin}`] : [];
	const [command, args] = beside(executable, [...FLAGS, ...safe, `--user-data-dir=${profile}`, 'about:blank']);
	const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
	const exited = once(child, 'exit');
	const connection = new Connection(child.stdio[3], child.stdio[4]);
	exited.then(() => connection.fail(new Error('Chromium has ended')), (error) => connection.fail(new Error(`${executable} does not start: ${error.message}`)));
	const { product } = await connection.send('Browser.getVersion');
	return {
		version: () => product,
		send: (method, params) => connection.send(method, params),
		/** A context like a private window: nothing of other contexts is in it. */
		async newContext() {
			const { browserContextId } = await connection.send('Target.createBrowserContext');
			return { newPage: () => newPage(connection, browserContextId), close: () => connection.send('Target.disposeBrowserContext', { browserContextId }) };
		},
		/** The profile itself, the only one that keeps compiled code. */
		profile: { newPage: () => newPage(connection) },
		async close() {
			connection.send('Browser.close').catch(() => {}); // the pipe may end before the answer
			const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
			await exited;
			clearTimeout(timer);
			await rm(profile, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** The protocol's messages: JSON with a NUL behind each. */
class Connection extends EventEmitter {
	#output;
	#waiting = new Map();
	#last = 0;
	#rest = [];
	#failed;

	constructor(output, input) {
		super();
		this.#output = output;
		output.on('error', () => {}); // the exit of the browser tells
		input.on('data', (data) => this.#take(data));
	}

	send(method, params = {}, sessionId = undefined) {
		if (this.#failed) return Promise.reject(this.#failed);
		const id = ++this.#last;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject, method });
			this.#output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
		});
	}

	fail(error) {
		this.#failed = error;
		for (const { reject } of this.#waiting.values()) reject(error);
		this.#waiting.clear();
	}

	#take(data) {
		let from = 0;
		for (let end; (end = data.indexOf(0, from)) >= 0; from = end + 1) {
			this.#rest.push(data.subarray(from, end));
			const message = JSON.parse(Buffer.concat(this.#rest).toString());
			this.#rest = [];
			const waiting = this.#waiting.get(message.id);
			if (!waiting) {
				this.emit(`${message.sessionId ?? ''} ${message.method}`, message.params);
				continue;
			}
			this.#waiting.delete(message.id);
			if (message.error) waiting.reject(new Error(`${waiting.method}: ${message.error.message}`));
			else waiting.resolve(message.result);
		}
		this.#rest.push(data.subarray(from));
	}
}

async function newPage(connection, browserContextId = undefined) {
	const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank', browserContextId });
	const { sessionId } = await connection.send('Target.attachToTarget', { targetId, flatten: true });
	const send = (method, params) => connection.send(method, params, sessionId);
	const on = (method, listener) => connection.on(`${sessionId} ${method}`, listener);
	on('Runtime.consoleAPICalled', ({ args }) => {
		const text = args.map(({ value, description }) => value ?? description).join(' ');
		if (!text.startsWith('wisp client warning')) console.error(`page: ${text}`); // it has one for each packet after a close
	});
	on('Runtime.exceptionThrown', ({ exceptionDetails: { text, exception } }) => console.error(`page: ${text} ${exception?.description ?? ''}`));
	await Promise.all([send('Page.enable'), send('Runtime.enable')]);

	/** Runs a function in the page; its argument and what it returns are plain data. */
	async function evaluate(code, argument) {
		const { result, exceptionDetails } = await send('Runtime.evaluate', {
			expression: `(${code})(${JSON.stringify(argument) ?? ''})`, awaitPromise: true, returnByValue: true,
		});
		if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	}

	return {
		send,
		evaluate,
		async goto(url) {
			const loaded = new Promise((resolve) => { connection.once(`${sessionId} Page.loadEventFired`, resolve); });
			const { errorText } = await send('Page.navigate', { url });
			if (errorText) throw new Error(`${url}: ${errorText}`);
			await loaded;
		},
		/** The first value that is not false. */
		async waitFor(code, limit = WAIT_MS) {
			const end = performance.now() + limit;
			for (;;) {
				const value = await evaluate(code);
				if (value) return value;
				if (performance.now() > end) throw new Error(`${code}: not within ${limit} ms`);
				await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
			}
		},
		close: () => connection.send('Target.closeTarget', { targetId }),
	};
}
