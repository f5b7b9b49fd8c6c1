// A Go program as the boundary sees it: memory, recorded calls, a queue of events. Its
// buffer moves at every growth, as Go's memory does.

/** @typedef {keyof import('../../src/wire/generated/boundary.js').Exports} ExportName */

/** Exports that only note their call, with and without bytes in the buffer. @type {ExportName[]} */
const WITH_BYTES = ['configure', 'setToken', 'streamOpen', 'streamWrite', 'streamSocketOptions', 'carrierMessage', 'carrierViolated', 'carrierClosed'];
/** @type {ExportName[]} */
const WITHOUT_BYTES = ['streamCloseWrite', 'streamStop', 'streamReset', 'streamGrant', 'carrierOpened', 'carrierBody', 'kick'];

export class FakeProgram {
	mem = new WebAssembly.Memory({ initial: 1, maximum: 64 });
	/** @type {unknown[][]} */
	calls = [];
	/** @type {{ kind: number, id?: number, a?: number, b?: number, text?: string | Uint8Array, stirs?: boolean }[]} */
	events = [];
	/** What the next call is to throw. @type {unknown} */
	error = null;
	resumes = 0;
	/** What Go does when it runs. */
	onresume = () => {};
	ran = false;
	/** Its timers were dropped. */
	stopped = false;
	/** It does not end when it is told to. */
	hangs = false;
	/** @type {{ rtt: number, unacknowledged: number } | null} */
	figures = null;
	/** @type {any} */
	imports = null;
	/** @type {(code: number) => void} */
	onexit = () => {};
	#at = 1024;

	/** @type {import('../../src/engine/program.js').Start} */
	start = async (imports, onexit) => {
		this.imports = imports;
		this.onexit = onexit;
		return { exports: this.exports, run: () => void (this.ran = true), resume: () => this.#resume(), stop: () => void (this.stopped = true) };
	};

	#resume() {
		this.resumes++;
		this.onresume();
	}

	/** @returns {any} */
	get exports() {
		const note = (/** @type {string} */ name, /** @type {boolean} */ bytes) => (/** @type {unknown[]} */ ...args) => {
			if (this.error) {
				const { error } = this;
				this.error = null;
				throw error;
			}
			if (bytes) args.push(this.#read(this.#at, Number(args.pop())));
			this.calls.push([name, ...args]);
		};
		return {
			mem: this.mem,
			buffer: (/** @type {number} */ length) => {
				if (this.#at + length > this.mem.buffer.byteLength) this.mem.grow(Math.ceil(length / 65536));
				return this.#at;
			},
			...Object.fromEntries(WITH_BYTES.map((name) => [name, note(name, true)])),
			...Object.fromEntries(WITHOUT_BYTES.map((name) => [name, note(name, false)])),
			shutdown: () => {
				note('shutdown', false)();
				if (!this.hangs) queueMicrotask(() => this.onexit(0));
			},
			nextEvent: () => {
				const event = this.events.shift();
				if (!event) return 0;
				const data = typeof event.text === 'string' ? new TextEncoder().encode(event.text) : event.text ?? new Uint8Array(0);
				const { pointer } = this.put(data, 512);
				this.#words(256, [event.kind, event.id ?? 0, event.a ?? 0, event.b ?? 0, pointer, data.length, event.stirs ? 1 : 0]);
				return 256;
			},
			stats: () => {
				if (!this.figures) return 0;
				this.#words(128, [this.figures.rtt, this.figures.unacknowledged]);
				return 128;
			},
		};
	}

	/**
	 * Puts bytes where Go would have them.
	 * @param {string | Uint8Array} data
	 * @param {number} [pointer]
	 */
	put(data, pointer = 32768) {
		const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
		new Uint8Array(this.mem.buffer).set(bytes, pointer);
		return { pointer, length: bytes.length };
	}

	/** @param {number} at @param {number} length */
	#read(at, length) {
		return Buffer.from(new Uint8Array(this.mem.buffer).slice(at, at + length)).toString('latin1');
	}

	/** @param {number} at @param {number[]} words */
	#words(at, words) {
		new Uint32Array(this.mem.buffer, at, words.length).set(words);
	}
}

/** A native WebSocket whose server the test plays. */
export class FakeCarrier {
	/** @type {FakeCarrier[]} */
	static made = [];
	readyState = 0;
	bufferedAmount = 0;
	binaryType = 'blob';
	/** @type {string[]} */
	sent = [];
	/** @type {unknown[][]} */
	closed = [];
	/** @type {any} */
	onopen = null;
	/** @type {any} */
	onmessage = null;
	/** @type {any} */
	onclose = null;

	/** @param {string} url @param {string} protocol */
	constructor(url, protocol) {
		this.url = url;
		this.protocol = protocol;
		FakeCarrier.made.push(this);
	}

	/** @param {Uint8Array} bytes */
	send(bytes) {
		this.sent.push(Buffer.from(bytes).toString());
		this.bufferedAmount += bytes.length;
	}

	/** @param {unknown[]} args */
	close(...args) {
		this.closed.push(args);
	}
}
