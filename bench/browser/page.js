// The page's half of the browser benchmark: the same transfers over one native WebSocket
// for each socket (plain relay), over sockmux, both through the standard WebSocket
// surface as an Emscripten program would use it, and over streams of the Wisp client.

import { datagramFlow, datagramRoundTrips } from './page-datagrams.js';
import { wispConnection } from './page-wisp.js';

const query = new URL(location.href).searchParams;

/**
 * The upload keeps at most this much queued in a socket: what a program with its own flow
 * control would do.
 */
const UPLOAD_QUEUE = 1 << 20;
const UPLOAD_MESSAGE = 64 << 10;

/** What loading a page and opening its sockets has begun may end in this time. */
const SETTLE_MS = 50;

/**
 * One socket of any kind.
 * @typedef {{ send(data: ArrayBuffer | Uint8Array): void, queued(): number, ended?: boolean, ondata: (bytes: number) => void, onend: (why: string) => void, close(): Promise<void> }} Socket
 */

/** A WebSocket, native or the facade. @returns {Promise<Socket>} */
function webSocket(Constructor, url) {
	return new Promise((resolve, reject) => {
		const ws = new Constructor(url, 'binary');
		ws.binaryType = 'arraybuffer';
		const socket = {
			send: (data) => ws.send(data),
			queued: () => ws.bufferedAmount,
			ondata: () => {},
			onend: (why) => reject(new Error(`${url}: ${why} before open`)),
			close: () => new Promise((closed) => {
				ws.onmessage = null;
				ws.onclose = closed;
				ws.close();
			}),
		};
		ws.onmessage = (event) => socket.ondata(event.data.byteLength);
		ws.onclose = (event) => socket.onend(`closed with ${event.code} ${event.reason}`);
		ws.onopen = () => resolve(socket);
	});
}

/**
 * A stream of Wisp; it has no confirmation, so it counts as open at once.
 * @returns {Promise<Socket>}
 */
async function wispStream(port) {
	const stream = (await wispConnection()).create_stream('127.0.0.1', port);
	const socket = {
		send: (data) => stream.send(data instanceof Uint8Array ? data : new Uint8Array(data)),
		queued: () => stream.send_buffer.length * UPLOAD_MESSAGE,
		ondata: () => {},
		onend: () => {},
		close: async () => {
			stream.onmessage = stream.onclose = () => {};
			stream.close(2);
		},
	};
	stream.onmessage = (bytes) => socket.ondata(bytes.length);
	stream.onclose = (reason) => socket.onend(`closed with ${reason}`);
	return socket;
}

/** Opens one socket to a local port and resolves when it is open. @returns {Promise<Socket>} */
function dial(kind, port) {
	if (kind === 'native') return webSocket(window.NativeWebSocket, `ws://${query.get('relay')}/relay/${port}`);
	if (kind === 'wisp') return wispStream(port);
	return webSocket(WebSocket, `ws://127.0.0.1:${port}/`);
}

const dialAll = (kind, port, streams) => Promise.all(Array.from({ length: streams }, () => dial(kind, port)));
const closeAll = (sockets) => Promise.all(sockets.map((socket) => socket.close()));

function count(bytes) {
	const message = new DataView(new ArrayBuffer(8));
	message.setBigUint64(0, BigInt(bytes));
	return message.buffer;
}

function download(socket, bytes) {
	return new Promise((resolve, reject) => {
		let left = bytes;
		socket.ondata = (length) => {
			left -= length;
			if (left === 0) resolve();
			else if (left < 0) reject(new Error(`${-left} bytes too many`));
		};
		socket.onend = (why) => reject(new Error(`${why}, ${left} bytes missing`));
		socket.send(count(bytes));
	});
}

const delay = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Sends until `more` says no, never more than UPLOAD_QUEUE ahead. */
async function push(socket, more) {
	const message = new Uint8Array(UPLOAD_MESSAGE).fill(7);
	for (let size; (size = more()) > 0;) {
		while (socket.queued() > UPLOAD_QUEUE) {
			await delay(0); // 4 ms after a few: 250 MB/s at this queue, and the page's thread is not kept busy by asking
			if (socket.ended) return;
		}
		socket.send(size === UPLOAD_MESSAGE ? message : message.subarray(0, size));
	}
}

async function upload(socket, bytes) {
	const done = new Promise((resolve, reject) => {
		socket.ondata = resolve;
		socket.onend = (why) => reject(new Error(`${why} during the upload`));
	});
	socket.send(count(bytes));
	let left = bytes;
	await push(socket, () => {
		const size = Math.min(left, UPLOAD_MESSAGE);
		left -= size;
		return size;
	});
	await done;
}

/**
 * Moves bytes over one socket. The first MiB of an upload goes in a task of its own, so
 * that many sockets make no long one: what the page does in one task is no transport's
 * doing.
 * @returns {Promise<number>} when it began
 */
async function move(socket, direction, bytes) {
	if (direction === 'up') await delay(0);
	const began = performance.now();
	await (direction === 'down' ? download(socket, bytes) : upload(socket, bytes));
	return began;
}

/** Milliseconds of one round trip of 64 bytes. */
async function roundTrip(socket) {
	const answered = new Promise((resolve, reject) => {
		let left = 64;
		socket.ondata = (length) => (left -= length) === 0 && resolve();
		socket.onend = (why) => reject(new Error(`${why} during an echo`));
	});
	const start = performance.now();
	socket.send(new Uint8Array(64));
	await answered;
	return performance.now() - start;
}

/** The worker of compute(). @type {Worker | undefined} */
let computing;

/** The sockets of rest(). @type {Socket[] | undefined} */
let resting;

window.bench = {
	datagramFlow,
	datagramRoundTrips,

	/** MB/s over `streams` sockets at once, `bytes` in all, and the tasks over 50 ms meanwhile in milliseconds. */
	async transfer({ kind, direction, streams, port, bytes }) {
		const sockets = await dialAll(kind, port, streams);
		const long = [];
		const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)));
		observer.observe({ type: 'longtask' });
		const each = Math.floor(bytes / streams);
		const start = performance.now();
		await Promise.all(sockets.map((socket) => move(socket, direction, each)));
		const seconds = (performance.now() - start) / 1000;
		await delay(0); // an entry comes in a task of its own
		long.push(...observer.takeRecords().map((entry) => entry.duration));
		observer.disconnect();
		await closeAll(sockets);
		return { value: (each * streams) / 1e6 / seconds, long };
	},

	/**
	 * Moves bytes each way over sockets of their own, then opens those over which first()
	 * will move its bytes.
	 */
	async rest({ kind, streams, port, moved: { ports, bytes } }) {
		for (const [direction, of] of Object.entries(ports)) {
			const socket = await dial(kind, of);
			await move(socket, direction, bytes);
			await socket.close();
		}
		resting = await dialAll(kind, port, streams);
	},

	/**
	 * Milliseconds from the first send until the last byte is there, over sockets that
	 * were opened before.
	 */
	async first({ kind, direction, streams, port, bytes }) {
		const sockets = resting ?? await dialAll(kind, port, streams);
		await delay(SETTLE_MS);
		const each = Math.floor(bytes / sockets.length);
		const began = await Promise.all(sockets.map((socket) => move(socket, direction, each)));
		const took = performance.now() - Math.min(...began);
		await closeAll(sockets);
		return { value: took };
	},

	/** Milliseconds until `streams` sockets opened at once are all open and each has had an echo. */
	async open({ kind, streams, port }) {
		const start = performance.now();
		const sockets = await dialAll(kind, port, streams);
		const opened = performance.now() - start;
		await Promise.all(sockets.map(roundTrip));
		const echoed = performance.now() - start;
		await closeAll(sockets);
		return { value: kind === 'wisp' ? echoed : opened, opened, echoed };
	},

	/** Has a worker compute for some time, or ends the one that does. */
	compute(ms) {
		computing?.terminate();
		computing = ms > 0 ? new Worker(URL.createObjectURL(new Blob([`const end = Date.now() + ${ms}; while (Date.now() < end);`]))) : undefined;
	},

	/** Milliseconds from the constructor to the first echoed byte. */
	async firstEcho({ kind, port }) {
		const start = performance.now();
		const socket = await dial(kind, port);
		await roundTrip(socket);
		const took = performance.now() - start;
		await socket.close();
		return { value: took };
	},

	/**
	 * Round trips of 64 bytes in milliseconds, one after the other, without or with bulk
	 * on the same line.
	 */
	async echo({ kind, port, rounds = 0, seconds = 0, warmup = 0, down = 0, up = 0, pour, drain }) {
		const socket = await dial(kind, port);
		const bulk = [...await dialAll(kind, pour, down), ...await dialAll(kind, drain, up)];
		let running = true;
		let moved = 0;
		bulk.forEach((b, i) => {
			b.onend = () => {};
			b.ondata = (length) => (moved += i < down ? length : length * DRAIN_REPORT);
		});
		const pushing = bulk.slice(down).map((b) => push(b, () => (running ? UPLOAD_MESSAGE : 0)));
		await delay(warmup * 1000);
		const before = moved;
		const start = performance.now();
		const times = [];
		while (times.length < rounds || performance.now() - start < seconds * 1000) {
			times.push(await roundTrip(socket));
			if (bulk.length > 0) await delay(10); // a keystroke now and then, not a second load
		}
		const rate = (moved - before) / 1e6 / ((performance.now() - start) / 1000);
		running = false;
		for (const b of bulk) b.ended = true;
		await Promise.all(pushing);
		// The page goes with its sockets: closing would wait for what is in the queues.
		return { times, rate };
	},
};

/** The service `drain` says every so many bytes that it has read them (bench/peers/target.go). */
const DRAIN_REPORT = 64 << 10;
