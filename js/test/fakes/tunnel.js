// A tunnel whose tasks the test runs, and whose streams the test plays.

import { ending } from '../../src/wire/codes.js';
import { turns } from '../../src/tunnel/turns.js';

/** A queue of tasks that runs when the test says so. */
export class Tasks {
	/** @type {(() => void)[]} */
	queue = [];

	/** @type {import('../../src/engine/tasks.js').Schedule} */
	schedule = (run) => void this.queue.push(run);

	turn = turns(this.schedule).turn;

	/** Runs what is queued and what that queues; promises settle between two tasks. */
	async run() {
		for (let task = this.queue.shift(); task; task = this.queue.shift()) {
			task();
			await settled();
		}
	}
}

/** Resolves after every promise that can settle has done so. */
export function settled() {
	return new Promise((resolve) => {
		setImmediate(resolve);
	});
}

export class FakeStream {
	/** @type {Uint8Array[]} */
	written = [];
	/** @type {string[]} */
	calls = [];
	/** @type {number | null} */
	connectMs = null;
	buffered = 0;

	/** @param {any} request @param {any} handlers */
	constructor(request, handlers) {
		this.request = request;
		this.handlers = handlers;
	}

	/** @param {Uint8Array} bytes */
	write(bytes) {
		this.written.push(bytes.slice());
	}

	close() {
		this.calls.push('close');
	}

	closeWrite() {
		this.calls.push('closeWrite');
	}

	stop() {
		this.calls.push('stop');
	}

	reset() {
		this.calls.push('reset');
	}

	/** @param {number} bytes */
	grant(bytes) {
		this.calls.push(`grant ${bytes}`);
	}

	open() {
		this.connectMs = 1;
		this.handlers.onopen({ bound: null, remote: null });
	}

	/** @param {number} code @param {string} [text] */
	end(code, text) {
		this.handlers.onclose(ending(code, text));
	}

	get text() {
		return Buffer.concat(this.written).toString();
	}
}

export class FakeTunnel extends Tasks {
	/** @type {FakeStream[]} */
	streams = [];

	/**
	 * @param {any} request
	 * @param {any} handlers
	 * @returns {any}
	 */
	open(request, handlers) {
		const stream = new FakeStream(request, handlers);
		this.streams.push(stream);
		return stream;
	}
}
