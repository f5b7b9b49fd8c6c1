// A server that breaks every promise of the protocol, for tests of what a page holds of
// it. It speaks just enough: WebSocket (RFC 6455) without masks, the link's first
// messages, and yamux for the control stream.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

/**
 * One page's connection.
 * @typedef {object} Peer
 * @property {import('node:stream').Duplex} socket
 * @property {(message: Buffer) => boolean} send  one WebSocket message; false: the socket is full
 * @property {(bytes: Buffer) => void} data  bytes of the session, as one DATA message
 * @property {() => Promise<void>} drained
 * @property {(stream: number) => number} room  bytes that the page takes at present on a stream of its own
 * @property {Buffer[]} messages  what came
 */

/** yamux (spec.md of hashicorp/yamux): types and flags. */
const YAMUX = { data: 0, window: 1, ack: 2 };
const FIRST_WINDOW = 256 * 1024;

/**
 * @param {number} type @param {number} flags @param {number} id @param {number} length
 */
export function yamux(type, flags, id, length) {
	const header = Buffer.alloc(12);
	header[1] = type;
	header.writeUInt16BE(flags, 2);
	header.writeUInt32BE(id, 4);
	header.writeUInt32BE(length, 8);
	return header;
}

/** The header of a frame. @param {number} length */
export function frameHeader(length) {
	const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
	head[0] = 0x82;
	if (length < 126) head[1] = length;
	else if (length < 65536) {
		head[1] = 126;
		head.writeUInt16BE(length, 2);
	} else {
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(length), 2);
	}
	return head;
}

/** A WELCOME of a new session (docs/PROTOCOL.md, 3). */
function welcome() {
	const option = (/** @type {number} */ number, /** @type {Buffer} */ value) => {
		const head = Buffer.alloc(4);
		head.writeUInt16BE(number, 0);
		head.writeUInt16BE(value.length, 2);
		return Buffer.concat([head, value]);
	};
	const words = (/** @type {number[]} */ ...values) => {
		const value = Buffer.alloc(4 * values.length);
		values.forEach((word, i) => value.writeUInt32BE(word, 4 * i));
		return value;
	};
	const grace = words(1000);
	return Buffer.concat([Buffer.from([2, 0, 1, 0, 0, 0, 1]), option(1, Buffer.alloc(48, 7)), option(3, grace), option(4, words(1024, 4 << 20)), option(6, words(15_000, 20_000))]);
}

/**
 * Starts a server that welcomes each page and then acts.
 * @param {(peer: Peer) => void | Promise<void>} act
 */
export async function startHostile(act) {
	/** @type {Set<import('node:stream').Duplex>} */
	const sockets = new Set();
	const server = createServer((_, response) => {
		response.writeHead(404, { 'Access-Control-Allow-Origin': '*' }).end();
	});
	server.on('upgrade', (request, socket) => {
		sockets.add(socket);
		socket.setMaxListeners(0);
		socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
		const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
		socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: sockmux.v1\r\n\r\n`);
		let sent = 0n;
		/** What the page has sent of the session. */
		let bytes = Buffer.alloc(0);
		/** @type {Map<number, number>} */
		const rooms = new Map();
		/** @type {Peer} */
		const peer = {
			socket,
			messages: [],
			send: (message) => {
				if (socket.destroyed) return false;
				socket.write(frameHeader(message.length));
				return socket.write(message);
			},
			data(payload) {
				const head = Buffer.alloc(9);
				head[0] = 3;
				head.writeBigUInt64BE(sent, 1);
				sent += BigInt(payload.length);
				for (let at = 0; at + 12 <= payload.length;) {
					const [type, id, length] = [payload[at + 1], payload.readUInt32BE(at + 4), payload.readUInt32BE(at + 8)];
					if (type === YAMUX.data) rooms.set(id, peer.room(id) - length);
					at += 12 + (type === YAMUX.data ? length : 0);
				}
				peer.send(Buffer.concat([head, payload]));
			},
			drained: () => new Promise((resolve) => {
				if (!socket.writableNeedDrain || socket.destroyed) resolve();
				else socket.once('drain', resolve).once('close', resolve);
			}),
			room: (id) => rooms.get(id) ?? FIRST_WINDOW,
		};
		const session = (/** @type {Buffer} */ part) => {
			bytes = Buffer.concat([bytes, part]);
			while (bytes.length >= 12) {
				const [type, id, length] = [bytes[1], bytes.readUInt32BE(4), bytes.readUInt32BE(8)];
				const whole = 12 + (type === YAMUX.data ? length : 0);
				if (bytes.length < whole) return;
				if (type === YAMUX.window) rooms.set(id, peer.room(id) + length);
				bytes = bytes.subarray(whole);
			}
		};
		messagesOf(socket, (message) => {
			peer.messages.push(message);
			if (message[0] === 1) {
				peer.send(welcome());
				act(peer);
			} else if (message[0] === 3) session(message.subarray(9));
		});
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	return {
		origin: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
		async stop() {
			for (const socket of sockets) socket.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * Takes a browser's messages out of a WebSocket: masked, and in one frame each.
 * @param {import('node:stream').Duplex} socket
 * @param {(message: Buffer) => void} take
 */
function messagesOf(socket, take) {
	let buffered = Buffer.alloc(0);
	socket.on('data', (/** @type {Buffer} */ data) => {
		buffered = Buffer.concat([buffered, data]);
		while (buffered.length >= 2) {
			let length = buffered[1] & 127;
			const head = { 126: 4, 127: 10 }[length] ?? 2;
			if (buffered.length < head + 4) return;
			if (head === 4) length = buffered.readUInt16BE(2);
			else if (head === 10) length = Number(buffered.readBigUInt64BE(2));
			if (buffered.length < head + 4 + length) return;
			const mask = buffered.subarray(head, head + 4);
			const body = Buffer.from(buffered.subarray(head + 4, head + 4 + length));
			for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
			const opcode = buffered[0] & 15;
			buffered = buffered.subarray(head + 4 + length);
			if (opcode === 2) take(body);
			else if (opcode === 8) socket.end();
		}
	});
}
