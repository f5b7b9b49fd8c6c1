// R in this page: loads webR from this server and moves lines between it and the console.

const WEBR = new URL('webr/', document.baseURI).href;

/** @typedef {import('./console.js').Console} Console */

export class Session {
	/** @type {any} */
	#webR = null;
	/** Lines that wait for R's next prompt. @type {string[]} */
	#queue = [];
	#waiting = false;
	/** @type {(() => void)[]} */
	#idle = [];

	/**
	 * @param {Console} console
	 * @param {(state: 'ready' | 'busy') => void} onstate
	 */
	constructor(console, onstate) {
		this.console = console;
		this.onstate = onstate;
	}

	/**
	 * Starts R. Resolves at its first prompt.
	 * @param {(text: string, part: number | null) => void} onprogress  part: 0 to 1, null where the size is not known
	 */
	async start(onprogress) {
		onprogress('loading webR', null);
		const { WebR } = await import(`${WEBR}webr.js`);
		await prefetch(`${WEBR}R.wasm`, onprogress);
		onprogress('starting R', null);
		this.#webR = new WebR({ baseUrl: WEBR, RArgs: ['--quiet'], interactive: true });
		await this.#webR.init();
		const first = new Promise((resolve) => {
			this.#idle.push(() => resolve(undefined));
		});
		this.#read();
		await first;
		return { webR: this.#webR.version, r: this.#webR.versionR };
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

	async #read() {
		for (;;) {
			const { type, data } = await this.#webR.read();
			if (type === 'stdout') this.console.print('out', data);
			else if (type === 'stderr') this.console.print('err', data);
			else if (type === 'prompt') {
				this.console.setPrompt(data);
				this.#waiting = true;
				this.#next();
			} else if (type === 'closed') return;
		}
	}
}

/**
 * Fetches the largest file of webR into the browser's cache, so that its progress can be shown; webR then finds it there.
 * @param {string} url
 * @param {(text: string, part: number | null) => void} onprogress
 */
async function prefetch(url, onprogress) {
	const response = await fetch(url);
	if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`.trim());
	// With a content encoding the length is that of the compressed bytes, and the reader sees the others.
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
