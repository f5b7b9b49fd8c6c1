// The server's side of a WebSocket (RFC 6455): no extensions.

import { createHash } from 'node:crypto';

/** Opcodes of RFC 6455, section 5.2. */
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** What RFC 6455, section 1.3, appends to the key. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The answer to the key of a handshake. @param {string | undefined} key */
export const acceptOf = (key) => createHash('sha1').update(`${key}${GUID}`).digest('base64');

/**
 * @typedef {object} Accepted
 * @property {(opcode: number, body: Buffer) => boolean} send  returns whether there is room for more
 * @property {(code?: number) => void} close
 */

/**
 * Answers an upgrade and takes the first subprotocol that is offered.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:stream').Duplex} socket
 * @param {{ message: (opcode: number, body: Buffer) => void, closed?: () => void }} on
 * @returns {Accepted}
 */
export function acceptWebSocket(request, socket, { message, closed = () => {} }) {
	const offered = request.headers['sec-websocket-protocol']?.split(',')[0].trim();
	const headers = [
		'HTTP/1.1 101 Switching Protocols',
		'Upgrade: websocket',
		'Connection: Upgrade',
		`Sec-WebSocket-Accept: ${acceptOf(request.headers['sec-websocket-key'])}`,
	];
	if (offered) headers.push(`Sec-WebSocket-Protocol: ${offered}`);
	socket.write(`${headers.join('\r\n')}\r\n\r\n`);
	let ended = false;
	const end = () => {
		if (!ended) closed();
		ended = true;
	};
	socket.on('close', end);
	eachFrame(socket, (opcode, body) => {
		if (opcode === PING) socket.write(frame(PONG, body));
		else if (opcode === CLOSE) {
			socket.end(frame(CLOSE, body)); // the same code and reason go back
			end();
		} else if (opcode === TEXT || opcode === BINARY) message(opcode, body);
	});
	return {
		send: (opcode, body) => socket.write(frame(opcode, body)),
		close(code = 1000) {
			const body = Buffer.alloc(2);
			body.writeUInt16BE(code);
			if (!socket.writableEnded) socket.write(frame(CLOSE, body));
		},
	};
}

/**
 * Calls back with every frame that a client sends, up to its close frame.
 * @param {import('node:stream').Duplex} socket
 * @param {(opcode: number, body: Buffer, last: boolean) => void} onframe  last: of its message
 */
export function eachFrame(socket, onframe) {
	/** @type {Buffer[]} */
	let parts = [];
	let held = 0;
	let closed = false;
	socket.on('data', (/** @type {Buffer} */ data) => {
		if (closed) return;
		parts.push(data);
		held += data.length;
		while (!closed) {
			if (parts.length > 1 && needed(parts[0]) <= held) parts = [Buffer.concat(parts)];
			const whole = parts[0] ?? Buffer.alloc(0);
			const length = needed(whole);
			if (length > whole.length) {
				// A head that lies in two pieces.
				if (parts.length > 1 && whole.length < LONGEST_HEAD) {
					parts = [Buffer.concat(parts)];
					continue;
				}
				return;
			}
			parts = [whole.subarray(length)];
			held -= length;
			const opcode = whole[0] & 15;
			closed = opcode === CLOSE;
			onframe(opcode, unmasked(whole.subarray(0, length)), whole[0] > 127);
		}
	});
}

/** Two bytes, eight of an extended length, four of the mask. */
const LONGEST_HEAD = 14;

/**
 * The length of the frame that begins here, or Infinity while that is not known.
 * @param {Buffer} bytes
 */
function needed(bytes) {
	if (bytes.length < 2) return Infinity;
	const short = bytes[1] & 127;
	if (short < 126) return 6 + short;
	if (short === 126) return bytes.length < 4 ? Infinity : 8 + bytes.readUInt16BE(2);
	return bytes.length < 10 ? Infinity : 14 + Number(bytes.readBigUInt64BE(2));
}

/** The body of a whole frame of a client, which is masked. @param {Buffer} whole */
function unmasked(whole) {
	const short = whole[1] & 127;
	const at = short < 126 ? 2 : short === 126 ? 4 : 10;
	const mask = whole.subarray(at, at + 4);
	const body = Buffer.from(whole.subarray(at + 4));
	for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
	return body;
}

/** A frame of a server's, the last of its message. @param {number} opcode @param {Buffer} body */
export function frame(opcode, body) {
	const head = body.length < 126 ? Buffer.from([0x80 | opcode, body.length]) : Buffer.alloc(body.length < 65536 ? 4 : 10);
	if (head.length === 4) {
		head[0] = 0x80 | opcode;
		head[1] = 126;
		head.writeUInt16BE(body.length, 2);
	} else if (head.length === 10) {
		head[0] = 0x80 | opcode;
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(body.length), 2);
	}
	return Buffer.concat([head, body]);
}
