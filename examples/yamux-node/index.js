// Asks a web server for its front page through a server with --allow-yamux, by a yamux library and
// a WebSocket:
//
//	npm ci && node index.js http://127.0.0.1:8088/ example.org 80

import { yamux } from '@chainsafe/libp2p-yamux';
import { defaultLogger } from '@libp2p/logger';
import { AbstractMessageStream } from '@libp2p/utils';
import { WebSocket } from 'ws';

/** A WebSocket in the form that the library wants. */
class Connection extends AbstractMessageStream {
	constructor(socket) {
		super({ log: defaultLogger().forComponent('sockmux'), direction: 'outbound' });
		this.socket = socket;
		socket.on('message', (bytes) => this.onData(bytes));
		socket.on('close', () => this.onTransportClosed());
	}

	sendData(bytes) {
		this.socket.send(bytes.subarray());
		return { sentBytes: bytes.byteLength, canSendMore: true };
	}

	sendReset() { this.socket.terminate(); }

	sendPause() { this.socket.pause(); }

	sendResume() { this.socket.resume(); }
}

/** The request for a TCP connection (docs/PROTOCOL.md, section 5). */
function request(host, port) {
	const name = Buffer.from(host);
	const u16 = (n) => [n >> 8, n & 0xff];
	return Buffer.from([...u16(5 + name.length), 1, 1, name.length, ...name, ...u16(port)]);
}

/** Says why, and ends. */
function fail({ message, code }) {
	console.error(`${server}: ${message || code}`);
	process.exit(1);
}

const [server, host, port] = process.argv.slice(2);
const socket = new WebSocket(new URL('v1/yamux', server.replace(/^http/, 'ws')), 'yamux');
await new Promise((resolve) => { socket.on('open', resolve).on('error', fail); });
const muxer = yamux()().createStreamMuxer(new Connection(socket));
const stream = await muxer.createStream();
stream.send(request(host, Number(port)));
stream.send(Buffer.from(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)); // the answer need not be awaited
let whole = false;
stream.addEventListener('remoteCloseWrite', () => { whole = true; }); // FIN
let answer = Buffer.alloc(0);
for await (const bytes of stream) answer = Buffer.concat([answer, bytes.subarray()]);
if (!whole) fail(new Error('the connection was lost'));
const end = 2 + answer.readUInt16BE(0); // of the result: length, code, addresses, text
if (answer.readUInt16BE(2) === 0) process.stdout.write(answer.subarray(end));
else {
	console.error(`refused with code ${answer.readUInt16BE(2)}`); // docs/PROTOCOL.md, section 7
	process.exitCode = 1;
}
socket.close();
