// A worker that blocks as R's does, for js/test/blocking/ring.test.js. It runs the given steps one
// after the other on a RingConnector and posts the result of each.

import { parentPort, workerData } from 'node:worker_threads';
import { RingConnector } from '../../src/blocking/ring.js';

const { interruptAfter } = workerData;
let pumped = 0;
const connector = new RingConnector((message) => parentPort?.postMessage({ sockmux: message }), () => {
	if (++pumped > interruptAfter) throw new Error('interrupt');
});
connector.hello('test');

/** @type {any[]} */
const sockets = [];

/** @param {() => boolean} ready */
const until = (ready) => {
	while (!ready()) connector.wait(Infinity);
};

/** What the bytes with these numbers are. @param {number} from @param {number} count */
const pattern = (from, count) => Uint8Array.from({ length: count }, (_, i) => ((from + i) * 31) >> 3);

/** @type {Record<string, (...args: any[]) => unknown>} */
const steps = {
	connect(host, port, socketOptions) {
		const socket = connector.connect({ host, port, socketOptions });
		sockets.push(socket);
		until(() => socket.state !== 'connecting');
		return { state: socket.state, error: socket.error, text: socket.errorText, local: socket.local, remote: socket.remote };
	},
	/** All until the end; the bytes as text. */
	readAll(index, chunk) {
		const socket = sockets[index];
		const parts = [];
		for (;;) {
			until(() => socket.available > 0 || socket.eof);
			const bytes = socket.recv(chunk);
			if (bytes === null) break;
			parts.push(Buffer.from(bytes));
		}
		return { text: Buffer.concat(parts).toString('latin1'), error: socket.error };
	},
	/** Reads `total` bytes and says whether they are those of the pattern. */
	readPattern(index, total, chunk) {
		const socket = sockets[index];
		let done = 0;
		while (done < total) {
			until(() => socket.available > 0 || socket.eof);
			const bytes = socket.recv(chunk);
			if (bytes === null || Buffer.compare(bytes, pattern(done, bytes.length)) !== 0) return { done, wrong: true };
			done += bytes.length;
		}
		return { done, wrong: false };
	},
	/** Writes `total` bytes of the pattern, waiting for room; the most that was taken at once. */
	writePattern(index, total, chunk) {
		const socket = sockets[index];
		let done = 0;
		let waited = false;
		while (done < total) {
			if (socket.room === 0) {
				waited = true;
				until(() => socket.writable);
			}
			done += socket.send(pattern(done, Math.min(chunk, total - done)));
		}
		return { done, waited };
	},
	write: (index, text) => sockets[index].send(Buffer.from(text)),
	shutdown: (index, how) => sockets[index].shutdown(how),
	close: (index) => sockets[index].close(),
	reset: (index) => sockets[index].reset(),
	setOptions: (index, options) => sockets[index].setOptions(options),
	/** The program takes the error. */
	takeError: (index) => sockets[index].clearError(),
	lookup(name) {
		let answer = connector.lookup?.(name);
		while (answer?.state === 'asking') {
			connector.wait(Infinity);
			answer = connector.lookup?.(name);
		}
		return answer;
	},
	why: (host, port) => [connector.failures.last, connector.failures.of(host, port)],
	peek: (index, max) => Buffer.from(sockets[index].peek(max)).toString(),
	status: (index) => ({ state: sockets[index].state, error: sockets[index].error, alive: connector.alive }),
	wait(milliseconds) {
		const began = performance.now();
		while (performance.now() - began < milliseconds) connector.wait(milliseconds);
		return performance.now() - began;
	},
};

parentPort?.on('message', ({ step, args }) => {
	try {
		parentPort?.postMessage({ result: steps[step](...args) });
	} catch (error) {
		parentPort?.postMessage({ error: String(error) });
	}
});
