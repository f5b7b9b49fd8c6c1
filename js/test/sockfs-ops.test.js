import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERRNO, POLL } from '../src/sockfs/errno.js';
import { patchOps, socketOf } from '../src/sockfs/ops.js';
import { FakeConnector, FakeEmscripten } from './fakes/emscripten.js';

/** @param {{ canWait?: boolean, nonblocking?: boolean, unasked?: boolean }} [options] */
function start({ canWait = false, nonblocking = true, unasked } = {}) {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(canWait);
	const undo = patchOps(emscripten.program, connector, { unasked });
	const sock = emscripten.socket({ nonblocking });
	return { emscripten, connector, undo, sock, ops: emscripten.ops };
}

/** A connected socket. @param {Parameters<typeof start>[0]} [options] */
function connected(options) {
	const parts = start({ ...options, nonblocking: true });
	assert.equal(parts.emscripten.errno(() => parts.ops.connect(parts.sock, 'a.test', 80)), ERRNO.EINPROGRESS);
	const [socket] = parts.connector.sockets;
	socket.state = 'open';
	if (options?.nonblocking === false) parts.sock.stream.flags &= ~2048;
	return { ...parts, socket };
}

const READ = POLL.IN | POLL.RDNORM;
const WRITE = POLL.OUT | POLL.WRNORM;

describe('connect', () => {
	test('a non-blocking socket says that it is under way, then that it was, then that it is', () => {
		const { emscripten, connector, sock, ops } = start();
		const connect = () => emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		assert.equal(connect(), ERRNO.EINPROGRESS);
		assert.deepEqual(connector.sockets[0].target, { host: 'a.test', port: 80 });
		assert.equal(sock.connecting, true);
		assert.equal(connect(), ERRNO.EALREADY);
		connector.sockets[0].state = 'open';
		assert.equal(sock.connecting, false);
		assert.equal(connect(), ERRNO.EISCONN);
		assert.equal(connector.sockets.length, 1);
	});

	test('a blocking one waits for the answer where the thread may block', () => {
		const { connector, sock, ops } = start({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => {}, () => void (connector.sockets[0].state = 'open')];
		ops.connect(sock, 'a.test', 80);
		assert.equal(connector.waits.length, 2);
		assert.equal(socketOf(sock), connector.sockets[0]);
	});

	test('a blocking one fails with the reason, and may try again', () => {
		const { emscripten, connector, sock, ops } = start({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED })];
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), ERRNO.ECONNREFUSED);
		connector.meanwhile = [() => void (connector.sockets[1].state = 'open')];
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), 0);
		assert.deepEqual(connector.sockets[0].calls, ['close']);
	});

	test('where nobody can wait a blocking one goes on at once, as SOCKFS does', () => {
		const { emscripten, sock, ops } = start({ nonblocking: false });
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), 0);
		assert.equal(ops.poll(sock), 0);
	});

	test('an interrupt leaves the wait as it came', () => {
		const { connector, sock, ops } = start({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => {
			throw Infinity;
		}];
		assert.throws(() => ops.connect(sock, 'a.test', 80), (error) => error === Infinity);
	});

	test('UDP, servers and a tunnel that has gone are left to SOCKFS', () => {
		const { emscripten, connector, ops } = start();
		ops.connect(emscripten.socket({ type: 2 }), 'a.test', 53);
		const server = emscripten.socket();
		server.server = {};
		ops.connect(server, 'a.test', 1);
		connector.alive = false;
		ops.connect(emscripten.socket(), 'a.test', 2);
		assert.deepEqual(emscripten.before, [['connect', 'a.test', 53], ['connect', 'a.test', 1], ['connect', 'a.test', 2]]);
		assert.equal(connector.sockets.length, 0);
	});

	test('SO_ERROR is the pending error, once', () => {
		const { connector, sock, ops, emscripten } = start();
		emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		assert.equal(sock.error, null);
		Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED });
		assert.equal(sock.error, ERRNO.ECONNREFUSED);
		sock.error = null; // what getsockopt() does after reading
		assert.equal(sock.error, null);
	});

	test('the own address is known after poll() has seen the connection', () => {
		const { sock, ops, socket } = connected();
		socket.local = { addr: '192.0.2.7', port: 4711 };
		ops.poll(sock);
		assert.deepEqual([sock.saddr, sock.sport], ['192.0.2.7', 4711]);
	});

	test('callbacks of the program hear of it by the names of SOCKFS', () => {
		const { emscripten, sock, socket } = connected();
		socket.tell('open');
		Object.assign(socket, { error: ERRNO.ECONNRESET, errorText: 'gone' });
		socket.tell('error');
		assert.deepEqual(emscripten.emitted, [['open', sock.stream.fd], ['error', [sock.stream.fd, ERRNO.ECONNRESET, 'gone']]]);
	});
});

describe('poll', () => {
	test('what each state says', () => {
		const { ops, sock, socket } = connected();
		socket.state = 'connecting';
		assert.equal(ops.poll(sock), 0);
		socket.state = 'open';
		assert.equal(ops.poll(sock), WRITE);
		socket.room = 0;
		assert.equal(ops.poll(sock), 0);
		socket.incoming = Buffer.from('x');
		assert.equal(ops.poll(sock), READ);
		socket.fin = true;
		assert.equal(ops.poll(sock), READ, 'the FIN is behind the byte');
		socket.recv(1);
		socket.room = 1;
		assert.equal(ops.poll(sock), READ | POLL.RDHUP | WRITE, 'after the peer\'s FIN writes still work');
		socket.error = ERRNO.ECONNRESET;
		socket.state = 'closed';
		assert.equal(ops.poll(sock), READ | POLL.RDHUP | WRITE | POLL.ERR | POLL.HUP);
	});

	test('POLLHUP only after both directions have ended', () => {
		const { ops, sock, socket } = connected();
		socket.fin = true;
		assert.equal(ops.poll(sock) & POLL.HUP, 0);
		ops.shutdown(sock, 1);
		assert.equal(ops.poll(sock) & POLL.HUP, POLL.HUP);
	});

	test('for R nothing that it did not ask for', () => {
		const { ops, sock, socket } = connected({ unasked: false });
		Object.assign(socket, { state: 'closed', error: ERRNO.ECONNRESET, fin: true });
		assert.equal(ops.poll(sock) & (POLL.ERR | POLL.HUP), 0);
		assert.equal(ops.poll(sock) & (POLL.IN | POLL.OUT), POLL.IN | POLL.OUT);
	});
});

describe('send', () => {
	const bytes = Buffer.from('abcdefghijkl');

	test('takes what there is room for, then EAGAIN', () => {
		const { emscripten, ops, sock, socket } = connected();
		assert.equal(ops.sendmsg(sock, bytes, 1, 10), 8);
		assert.equal(socket.text, 'bcdefghi');
		assert.equal(emscripten.errno(() => ops.sendmsg(sock, bytes, 0, 4)), ERRNO.EAGAIN);
	});

	test('a blocking socket waits until all is taken', () => {
		const { connector, ops, sock, socket } = connected({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => void (socket.room = 3), () => void (socket.room = 9)];
		assert.equal(ops.sendmsg(sock, bytes, 0, 12), 12);
		assert.equal(socket.text, 'abcdefghijkl');
	});

	test('where nobody can wait a blocking socket is given everything', () => {
		const { ops, sock, socket } = connected({ nonblocking: false });
		assert.equal(ops.sendmsg(sock, bytes, 0, 12), 12);
		assert.equal(socket.text, 'abcdefghijkl');
	});

	test('an error comes once, then EPIPE', () => {
		const { emscripten, ops, sock, socket } = connected();
		Object.assign(socket, { state: 'closed', error: ERRNO.ECONNRESET });
		const send = () => emscripten.errno(() => ops.sendmsg(sock, bytes, 0, 1));
		assert.deepEqual([send(), send()], [ERRNO.ECONNRESET, ERRNO.EPIPE]);
	});

	test('after shutdown EPIPE, and the peer\'s bytes still come', () => {
		const { emscripten, ops, sock, socket } = connected();
		assert.equal(ops.shutdown(sock, 1), 0);
		assert.deepEqual(socket.calls, ['shutdown 1']);
		assert.equal(emscripten.errno(() => ops.sendmsg(sock, bytes, 0, 1)), ERRNO.EPIPE);
		socket.incoming = Buffer.from('late');
		assert.equal(Buffer.from(ops.recvmsg(sock, 10).buffer).toString(), 'late');
	});
});

describe('recv', () => {
	test('bytes, then the error once, then the end', () => {
		const { emscripten, ops, sock, socket } = connected();
		socket.incoming = Buffer.from('last words');
		assert.equal(Buffer.from(ops.recvmsg(sock, 4).buffer).toString(), 'last');
		assert.equal(Buffer.from(ops.recvmsg(sock, 100).buffer).toString(), ' words');
		assert.equal(emscripten.errno(() => ops.recvmsg(sock, 1)), ERRNO.EAGAIN);
		Object.assign(socket, { state: 'closed', fin: true, error: ERRNO.ECONNRESET });
		assert.equal(emscripten.errno(() => ops.recvmsg(sock, 1)), ERRNO.ECONNRESET);
		assert.equal(ops.recvmsg(sock, 1), null);
	});

	test('a blocking socket waits for the first byte', () => {
		const { connector, ops, sock, socket } = connected({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => {}, () => void (socket.incoming = Buffer.from('x'))];
		assert.equal(ops.recvmsg(sock, 1).buffer.length, 1);
	});

	test('FIONREAD is all that has arrived', () => {
		const { emscripten, ops, sock, socket } = connected();
		socket.incoming = Buffer.from('abcde');
		assert.equal(ops.ioctl(sock, 21531, 16), 0);
		assert.equal(emscripten.heap[4], 5);
		ops.ioctl(sock, 21537, 16);
		assert.deepEqual(emscripten.before, [['ioctl', 21537, 16]]);
	});
});

test('close closes ours and lets SOCKFS clear up', () => {
	const { emscripten, ops, sock, socket } = connected();
	assert.equal(ops.close(sock), 0);
	assert.deepEqual(socket.calls, ['close']);
	assert.deepEqual(emscripten.before, [['close']]);
	assert.equal(socketOf(sock), undefined);
});

test('taken away again, SOCKFS has its own operations, and nothing more', () => {
	const emscripten = new FakeEmscripten();
	const names = Object.keys(emscripten.ops);
	const own = { ...emscripten.ops };
	const undo = patchOps(emscripten.program, new FakeConnector(false));
	assert.notEqual(emscripten.ops.poll, own.poll);
	const others = emscripten.ops.bind = () => 'somebody else\'s';
	undo();
	assert.deepEqual(Object.keys(emscripten.ops), names);
	assert.deepEqual(emscripten.ops, { ...own, bind: others });
});
