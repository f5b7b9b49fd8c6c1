// readv() and writev() make one operation for each buffer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

/** A connected socket and a call that the test makes in attempts. @param {boolean} nonblocking */
function start(nonblocking) {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(false);
	const { program } = emscripten;
	patchOps(program, connector);
	const sock = emscripten.socket();
	emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80));
	const [socket] = connector.sockets;
	socket.state = 'open';
	if (!nonblocking) sock.stream.flags &= ~2048;
	/** @type {import('../../src/sockfs/calls/call.js').Finished} */
	const finished = [];
	/** As a system call of 3.x does it: every buffer, whatever the one before gave. */
	const attempt = (/** @type {(length: number) => number} */ operation, /** @type {number[]} */ lengths) => {
		program.call = { flags: 0, retries: !nonblocking, wait: null, finished, begun: 0 };
		let count = 0;
		const errno = emscripten.errno(() => {
			for (const length of lengths) count += operation(length);
		});
		return errno === 0 ? count : program.call.wait ? 'waits' : -errno;
	};
	const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
	const send = (/** @type {number} */ length) => emscripten.ops.sendmsg(sock, bytes, 0, length);
	/** @type {number[]} */
	const got = [];
	const receive = (/** @type {number} */ length) => {
		const message = emscripten.ops.recvmsg(sock, length);
		got.push(...(message?.buffer ?? []));
		return message?.buffer.length ?? 0;
	};
	return { socket, attempt, send, receive, got };
}

test('a writev() that waits sends each buffer once', () => {
	const { socket, attempt, send } = start(false);
	assert.equal(attempt(send, [6, 6, 6]), 'waits');
	socket.room = 8;
	assert.equal(attempt(send, [6, 6, 6]), 'waits');
	socket.room = 8;
	assert.equal(attempt(send, [6, 6, 6]), 18);
	assert.equal(Buffer.concat(socket.sent).length, 18);
	assert.deepEqual([...Buffer.concat(socket.sent)], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
});

test('a writev() of a socket that does not wait gives what was taken, without a hole', () => {
	const short = start(true);
	assert.equal(short.attempt(short.send, [6, 6, 2]), 8);
	assert.deepEqual([...Buffer.concat(short.socket.sent)], [0, 1, 2, 3, 4, 5, 0, 1]);
	const exact = start(true);
	assert.equal(exact.attempt(exact.send, [8, 6, 2]), 8);
	const full = start(true);
	full.socket.room = 0;
	assert.equal(full.attempt(full.send, [8, 6]), -ERRNO.EAGAIN);
});

test('a readv() whose first buffer is full gives that, and waits for nothing more', () => {
	const { socket, attempt, receive, got } = start(false);
	assert.equal(attempt(receive, [2, 4]), 'waits');
	socket.incoming = Buffer.from('ab');
	assert.equal(attempt(receive, [2, 4]), 2);
	assert.equal(Buffer.from(got).toString(), 'ab');
});

test('an error behind the bytes of a readv() is the next call\'s', () => {
	const { socket, attempt, receive } = start(true);
	socket.incoming = Buffer.from('ab');
	socket.error = ERRNO.ECONNRESET;
	assert.equal(attempt(receive, [2, 4]), 2);
	assert.equal(socket.error, ERRNO.ECONNRESET);
});
