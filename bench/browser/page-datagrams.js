// The page's half of the family "datagrams": sockmux.UDPSocket, or a stream of the Wisp
// client for UDP, to a peer that sends each datagram back.

import { wispConnection } from './page-wisp.js';

/** After this time without an answer the rest counts as lost. */
const PATIENCE_MS = 1000;

/**
 * A socket that is connected to the peer. A datagram belongs to the socket once it is sent.
 * @typedef {{ send(data: Uint8Array): void, ondata: (data: Uint8Array) => void, close(): Promise<void> }} DatagramSocket
 */

/** @returns {Promise<DatagramSocket>} */
async function wispDatagrams(port) {
	const stream = (await wispConnection()).create_stream('127.0.0.1', port, 'udp');
	const socket = {
		send: (data) => stream.send(data),
		ondata: () => {},
		close: async () => {
			stream.onmessage = () => {};
			stream.close(2);
		},
	};
	stream.onmessage = (data) => socket.ondata(data);
	return socket;
}

/** @returns {Promise<DatagramSocket>} */
async function sockmuxDatagrams(port) {
	const { readable, writable } = await new window.sockmux.UDPSocket({ remoteAddress: '127.0.0.1', remotePort: port }).opened;
	const [reader, writer] = [readable.getReader(), writable.getWriter()];
	const socket = {
		send: (data) => void writer.write({ data }),
		ondata: () => {},
		close: async () => {
			await reader.cancel();
			await writer.close();
		},
	};
	void (async () => {
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			socket.ondata(value.data);
		}
	})();
	return socket;
}

const open = (kind, port) => (kind === 'wisp' ? wispDatagrams(port) : sockmuxDatagrams(port));

/** A datagram that says when it was sent. */
function stamped(size) {
	const data = new Uint8Array(size);
	new DataView(data.buffer).setFloat64(0, performance.now());
	return data;
}

/** Milliseconds since a datagram was sent. */
const ageOf = (data) => performance.now() - new DataView(data.buffer, data.byteOffset).getFloat64(0);

const delay = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** The next answer. @param {DatagramSocket} socket @returns {Promise<Uint8Array>} */
const answer = (socket) => new Promise((resolve) => { socket.ondata = resolve; });

/** Milliseconds of round trips, one after the other. */
export async function datagramRoundTrips({ kind, port, size, rounds }) {
	const socket = await open(kind, port);
	const times = [];
	// The first one opens the peer's side, where the transport does not wait for that.
	for (let round = -1; round < rounds; round++) {
		socket.send(stamped(size));
		const took = ageOf(await answer(socket));
		if (round >= 0) times.push(took);
	}
	await socket.close();
	return { times };
}

/**
 * Sends `rate` datagrams a second, whatever the transport makes of them.
 * @returns {Promise<{ perSecond: number, answered: number, times: number[] }>}  answers a second while it sends;
 *   the share of the datagrams that were answered at last, in percent; the round trips of these in milliseconds
 */
export async function datagramFlow({ kind, port, size, rate, seconds }) {
	const socket = await open(kind, port);
	socket.send(stamped(size));
	await answer(socket);
	const times = [];
	socket.ondata = (data) => void times.push(ageOf(data));
	let sent = 0;
	const start = performance.now();
	for (let elapsed; (elapsed = (performance.now() - start) / 1000) < seconds;) {
		for (const due = Math.floor(elapsed * rate); sent < due; sent++) socket.send(stamped(size));
		await delay(0);
	}
	const perSecond = times.length / ((performance.now() - start) / 1000);
	for (let before = -1; times.length < sent && times.length > before; await delay(PATIENCE_MS)) before = times.length;
	await socket.close();
	return { perSecond, answered: (100 * times.length) / sent, times };
}
