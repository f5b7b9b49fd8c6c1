// R in this page: loads webR from this server and moves lines between it and the console.

import { SETUP } from './hooks.js';
import { link, page, Plots, table } from './show.js';

const WEBR = new URL('webr/', document.baseURI).href;

/** @typedef {import('./console.js').Console} Console */

export class Session {
	/** @type {any} */
	#webR = null;
	/** webR's class. @type {any} */
	#WebR = null;
	#plots;
	/** Lines that wait for R's next prompt. @type {string[]} */
	#queue = [];
	#waiting = false;
	/** @type {(() => void)[]} */
	#idle = [];

	/**
	 * @param {Console} console
	 * @param {{ onstate: (state: 'ready' | 'busy' | 'loading') => void, onfailed: (error: unknown) => void }} handlers
	 *   onstate: loading means that R has ended and starts again; onfailed: that failed
	 */
	constructor(console, { onstate, onfailed }) {
		this.console = console;
		this.onstate = onstate;
		this.onfailed = onfailed;
		this.#plots = new Plots((figure) => console.show(figure));
	}

	/**
	 * Starts R. Resolves at its first prompt.
	 * @param {(text: string, part: number | null) => void} onprogress  part: 0 to 1, null where the size is not known
	 */
	async start(onprogress) {
		onprogress('loading webR', null);
		this.#WebR = (await import(`${WEBR}webr.js`)).WebR;
		await prefetch(`${WEBR}R.wasm`, onprogress);
		onprogress('starting R', null);
		const first = new Promise((resolve) => {
			this.#idle.push(() => resolve(undefined));
		});
		await this.#boot();
		await first;
		return { webR: this.#webR.version, r: this.#webR.versionR };
	}

	/** Starts an R with an empty workspace, in place of the one before. */
	async #boot() {
		const webR = new this.#WebR({ baseUrl: WEBR, RArgs: ['--quiet'], interactive: true });
		this.#webR = webR;
		await webR.init();
		await webR.evalRVoid(SETUP);
		this.#read(webR);
	}

	/** @param {number} status */
	async #restart(status) {
		this.#queue = [];
		this.#waiting = false;
		this.#plots.clear();
		this.onstate('loading');
		this.console.print('note', `R has ended with status ${status}. A new one starts, with an empty workspace.`);
		this.#webR.close();
		try {
			await this.#boot();
		} catch (error) {
			this.onfailed(error);
		}
	}

	/** The output was cleared. */
	cleared() {
		this.#plots.clear();
	}

	/**
	 * Feeds lines to R, each at its own prompt.
	 * @param {string[]} lines
	 */
	feed(lines) {
		this.#queue.push(...lines);
		this.#next();
	}

	/** Feeds lines and resolves when R has answered all of them. @param {string[]} lines */
	run(lines) {
		const done = new Promise((resolve) => {
			this.#idle.push(() => resolve(undefined));
		});
		this.feed(lines);
		return done;
	}

	interrupt() {
		this.#queue = [];
		this.#webR?.interrupt();
	}

	#next() {
		if (!this.#waiting) return;
		const line = this.#queue.shift();
		if (line === undefined) {
			this.onstate('ready');
			for (const done of this.#idle.splice(0)) done();
			return;
		}
		this.#waiting = false;
		this.onstate('busy');
		this.console.print('in', this.console.prompt + line);
		this.#webR.writeConsole(line);
	}

	/** Shows what R says until it ends. @param {any} webR */
	async #read(webR) {
		for (;;) {
			const { type, data } = await webR.read();
			switch (type) {
				case 'stdout': case 'stderr':
					this.console.print(KINDS[type], data);
					break;
				case 'part':
					this.console.print(KINDS[data.type], data.text, false);
					break;
				case 'canvas':
					this.#plots.take(data);
					break;
				case 'page':
					this.console.show(page(data.title, data.text));
					break;
				case 'view':
					this.console.show(table(data.title, data.data));
					break;
				case 'open':
					this.console.show(link(data.url));
					break;
				case 'prompt':
					this.console.setPrompt(data);
					this.#waiting = true;
					this.#next();
					break;
				case 'quit':
					this.#restart(data);
					return;
				case 'closed':
					return;
			}
		}
	}
}

/** @type {Record<string, import('./console.js').Kind>} */
const KINDS = { stdout: 'out', stderr: 'err' };

/**
 * Fetches the largest file of webR into the browser's cache, so that its progress can be
 * shown; webR then finds it there.
 * @param {string} url
 * @param {(text: string, part: number | null) => void} onprogress
 */
async function prefetch(url, onprogress) {
	const response = await fetch(url);
	if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`.trim());
	// With a content encoding the length is that of the compressed bytes, and the reader
	// sees the others.
	const total = response.headers.get('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
	let loaded = 0;
	for (const reader = response.body.getReader(); ;) {
		const { done, value } = await reader.read();
		if (done) return;
		loaded += value.length;
		const megabytes = (loaded / 1e6).toFixed(1);
		onprogress(total ? `loading R, ${megabytes} of ${(total / 1e6).toFixed(1)} MB` : `loading R, ${megabytes} MB`, total ? loaded / total : null);
	}
}
