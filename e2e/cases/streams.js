// Services that send or take bytes without a protocol.

import zlib from 'node:zlib';
import { reset } from '../harness/reset.js';
import { pattern } from './lines.js';

/** @typedef {import('node:net').Socket} Socket */

/** What recorder() took last. */
let recorded = Buffer.alloc(0);
const BOTH_BYTES = 4_000_000;

/** @type {Record<string, (socket: Socket) => unknown>} */
export const streams = {
	echo: (socket) => socket.pipe(socket),
	eof: (socket) => socket.end('hello\nworld\n'),
	crlf: (socket) => socket.end('alpha\r\nbeta\r\n\r\ngamma\r\n'),
	empty: (socket) => socket.end(),
	silent: (socket) => socket.resume(),
	deaf: (socket) => socket.pause(),
	/** Takes nothing for a second, then everything. */
	sleepy(socket) {
		socket.pause();
		setTimeout(() => socket.resume(), 1000);
	},
	drip(socket) {
		let count = 0;
		const timer = setInterval(() => {
			if (socket.destroyed) return clearInterval(timer);
			socket.write(`line ${++count}\n`);
			if (count < 10) return undefined;
			clearInterval(timer);
			return socket.end();
		}, 100);
	},
	reset(socket) {
		socket.write('one line\n');
		setTimeout(() => reset(socket), 400);
	},
	resetnow: (socket) => socket.resume().once('data', () => reset(socket)),
	latin1: (socket) => socket.end(Buffer.from('caf\xe9\nna\xefve\n\xa3 5\n', 'latin1')),
	utf16: (socket) => socket.end(Buffer.from('gr\u00fc\u00df\u20ac\nzwei\n', 'utf16le')),
	utf16bom: (socket) => socket.end(Buffer.from('\ufeffeins\nzwei\n', 'utf16le')),
	nul: (socket) => socket.end(Buffer.from('a\0b\nplain\n')),
	csv: (socket) => socket.end('id,name,score\n1,"Ann, B.",1.5\n2,Bob,NA\n3,"says ""hi""",-2\n'),
	table: (socket) => socket.end('# a comment\nx y g\n1 2.5 a\n2 3.5 b\n3 4.5 a\n'),
	dcf: (socket) => socket.end('Package: one\nVersion: 1.0\nDescription: first\n  line two\n\nPackage: two\nVersion: 2.0\n'),
	gz: (socket) => socket.end(zlib.gzipSync('zipped one\nzipped two\nzipped three\n')),
	/** Takes all until FIN, for report(). */
	recorder(socket) {
		/** @type {Buffer[]} */
		const all = [];
		socket.on('data', (data) => all.push(data)).on('end', () => {
			recorded = Buffer.concat(all);
			socket.end();
		});
	},
	report: (socket) => setTimeout(() => {
		socket.end(`${recorded.length} ${recorded.subarray(0, 200).toString('hex')}\n`);
		recorded = Buffer.alloc(0);
	}, 150),
	/** Sends 4 MB at once and takes 4 MB, then says how many came. */
	both(socket) {
		socket.write(pattern(BOTH_BYTES));
		let count = 0;
		socket.on('data', (data) => {
			count += data.length;
			if (count === BOTH_BYTES) socket.write(`${count}\n`);
		});
	},
};
