// A WebSocket server whose answers a test writes byte by byte, and which keeps what each
// connection has seen. The path says what it does:
//
//   /echo                sends messages back
//   /raw/HEX             sends these bytes at the first message
//   /raw-end/HEX         the same, and ends the connection
//   /raw-close/HEX       the same, and a close frame with 4001
//   /close/HEX           sends a close frame with this payload at the first message
//   /end/fin, /end/reset ends the connection so at the first message
//   /count/N/BYTES       sends N messages of so many bytes at the first message
//   /deaf                reads nothing behind the handshake
//   /mute                answers no close frame
//   /late/MILLISECONDS   answers the close frame so much later
//   /answer/BASE64       answers the handshake with these lines, KEY being what it should be
//   /answer-close/BASE64 the same; the lines end with a close frame
//   /silent              never answers the handshake

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { reset } from './reset.js';
import { BINARY, CLOSE, PING, PONG, TEXT, acceptOf, eachFrame, frame } from './websocket.js';

/** The last line of what a connection has seen. */
export const END = 'the end';

/**
 * @typedef {object} WebSocketTarget
 * @property {string} origin  ws: or wss:
 * @property {number} port
 * @property {(id: string) => string[]} seen  what the connection with ?id=ID in its URL has seen so far
 * @property {(id: string) => number} sent  bytes that its system has taken
 * @property {() => Promise<void>} stop
 */

/**
 * @param {{ key: string, cert: string }} [certificate]  of a wss: server
 * @returns {Promise<WebSocketTarget>}
 */
export async function startWebSocketTarget(certificate) {
	/** @type {Map<string, { lines: string[], socket: import('node:net').Socket }>} */
	const connections = new Map();
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	const server = certificate ? createSecureServer(certificate) : createServer();
	server.on('upgrade', (request, /** @type {import('node:net').Socket} */ socket) => {
		const url = new URL(request.url ?? '/', 'http://target');
		/** @type {string[]} */
		const lines = [];
		connections.set(url.searchParams.get('id') ?? '', { lines, socket });
		const { 'sec-websocket-protocol': protocols = '', 'sec-websocket-version': version, 'content-length': length = '' } = request.headers;
		lines.push(`${request.method} ${url.pathname} HTTP/${request.httpVersion} version ${version} protocols ${protocols} ${length}`);
		sockets.add(socket);
		socket.on('error', () => socket.destroy()).on('end', () => socket.end()).on('close', () => {
			sockets.delete(socket);
			lines.push(END);
		});
		serve(url.pathname.split('/').slice(1), socket, request.headers['sec-websocket-key'], lines);
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		origin: `${certificate ? 'wss' : 'ws'}://127.0.0.1:${port}`,
		port,
		seen: (id) => connections.get(id)?.lines ?? [],
		sent: (id) => connections.get(id)?.socket.bytesWritten ?? 0,
		async stop() {
			for (const socket of sockets) socket.destroy();
			server.closeAllConnections();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * @param {string[]} path
 * @param {import('node:net').Socket} socket
 * @param {string | undefined} key
 * @param {string[]} lines
 */
function serve([act, first = '', second = ''], socket, key, lines) {
	if (act === 'silent') {
		socket.resume(); // to see the end
		return;
	}
	const head = act.startsWith('answer') ? Buffer.from(first, 'base64url').toString('latin1') : 'HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: KEY\n\n';
	socket.write(head.replace('KEY', acceptOf(key)).replaceAll('\n', '\r\n'), 'latin1');
	if (act === 'answer' && !head.startsWith('HTTP/1.1 101')) socket.end();
	if (act === 'deaf') return;

	/** @type {Record<string, () => void | Promise<void>>} */
	const acts = {
		raw: () => void socket.write(Buffer.from(first, 'hex')),
		'raw-end': () => void socket.end(Buffer.from(first, 'hex')),
		'raw-close': () => void socket.write(Buffer.from(`${first}88020fa1`, 'hex')),
		close: () => void socket.write(frame(CLOSE, Buffer.from(first, 'hex'))),
		end: () => void (first === 'reset' ? reset(socket) : socket.end()),
		async count() {
			const message = frame(BINARY, Buffer.alloc(Number(second), 7));
			for (let n = 0; n < Number(first) && !socket.destroyed; n++) {
				if (!socket.write(message)) await room(socket);
			}
			lines.push('all sent');
		},
	};
	let messages = 0;
	let size = 0;
	let kind = TEXT;
	let sum = createHash('md5');
	/** @type {Buffer[]} */
	let parts = [];
	eachFrame(socket, (opcode, body, last) => {
		if (opcode === PING) socket.write(frame(PONG, body));
		else if (opcode === PONG) lines.push(`pong ${body.toString('latin1')}`);
		else if (opcode === CLOSE) {
			const why = body.length < 2 ? 'without a code' : `${body.readUInt16BE()} ${body.subarray(2)}`;
			lines.push(`close ${why}`);
			if (act === 'mute') return;
			void delay(act === 'late' ? Number(first) : 0).then(() => socket.end(act.endsWith('close') ? '' : frame(CLOSE, body)));
		} else {
			if (opcode !== 0) kind = opcode;
			if (act === 'echo') parts.push(body);
			size += body.length;
			sum.update(body);
			if (!last) return;
			lines.push(`${kind === TEXT ? 'text' : 'bytes'} ${size} ${sum.digest('hex')}`);
			if (act === 'echo') socket.write(frame(kind, Buffer.concat(parts)));
			else if (messages++ === 0) void acts[act]?.();
			[size, sum, parts] = [0, createHash('md5'), []];
		}
	});
}

/** Waits until a socket takes more, or is closed. @param {import('node:net').Socket} socket */
function room(socket) {
	return new Promise((resolve) => {
		const done = () => {
			socket.off('drain', done).off('close', done);
			resolve(undefined);
		};
		socket.on('drain', done).on('close', done);
	});
}
