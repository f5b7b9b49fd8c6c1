import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { POLL } from '../../src/sockfs/flags.js';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps, socketOf } from '../../src/sockfs/sockets/ops.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

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

describe('connect() that has said 0 before the answer', () => {
	/** @returns {ReturnType<typeof start>} */
	const promised = () => {
		const parts = start({ nonblocking: false });
		assert.equal(parts.emscripten.errno(() => parts.ops.connect(parts.sock, 'a.test', 80)), 0);
		return parts;
	};

	test('goes to another target at the next call, and stays with the same one', () => {
		const { emscripten, connector, ops, sock } = promised();
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), ERRNO.EALREADY);
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 81)), 0);
		assert.deepEqual(connector.sockets.map(({ target }) => target.port), [80, 81]);
		assert.deepEqual(connector.sockets[0].calls, ['close']);
	});

	test('shutdown() follows what was sent', () => {
		const { emscripten, connector, ops, sock } = promised();
		assert.equal(ops.sendmsg(sock, Buffer.from('abc'), 0, 3), 3);
		assert.equal(emscripten.errno(() => ops.shutdown(sock, 1)), 0);
		assert.deepEqual(connector.sockets[0].calls, ['shutdown 1']);
	});
});

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

	test('one that answered too early is forgotten when it has failed', () => {
		const { emscripten, connector, sock, ops } = start({ nonblocking: false });
		const connect = (/** @type {number} */ port) => emscripten.errno(() => ops.connect(sock, 'a.test', port));
		assert.equal(connect(80), 0);
		assert.equal(connect(80), ERRNO.EALREADY);
		Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED });
		assert.equal(connect(81), 0);
		assert.equal(connector.sockets[1].target.port, 81);
		assert.equal(sock.error, null);
	});

	test('after the error has been asked for, one call says so, and the next begins anew', () => {
		const { emscripten, connector, sock, ops } = start();
		const connect = () => emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		connect();
		Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED });
		sock.error = null;
		assert.deepEqual([connect(), connect()], [ERRNO.ECONNABORTED, ERRNO.EINPROGRESS]);
	});

	test('no port is refused', () => {
		const { emscripten, connector, sock, ops } = start();
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 0)), ERRNO.ECONNREFUSED);
		assert.equal(connector.sockets.length, 0);
	});

	test('an address that was bound stays, what was left open is the connection\'s', () => {
		for (const [bound, expected] of /** @type {const} */ ([
			[[undefined, undefined], ['192.0.2.7', 4711]], [['0.0.0.0', 0], ['192.0.2.7', 4711]], [['127.0.0.1', 5000], ['127.0.0.1', 5000]],
		])) {
			const { emscripten, connector, sock, ops } = start();
			[sock.saddr, sock.sport] = bound;
			emscripten.errno(() => ops.connect(sock, 'a.test', 80));
			connector.sockets[0].local = { addr: '192.0.2.7', port: 4711 };
			assert.deepEqual([sock.saddr, sock.sport], expected);
		}
	});

	test('bind() to no port has one at once', () => {
		const { emscripten, sock, ops } = start();
		ops.bind(sock, '127.0.0.1', 0);
		ops.bind(emscripten.socket({ type: 2 }), '127.0.0.1', 0);
		ops.bind(sock, '127.0.0.1', 5000);
		const ports = emscripten.before.map(([, , port]) => Number(port));
		assert.ok(ports[0] >= 32768 && ports[0] <= 60999);
		assert.deepEqual(ports.slice(1), [0, 5000]);
	});

	test('before it, send() is EPIPE and poll() says hang-up', () => {
		const { emscripten, sock, ops } = start();
		assert.equal(emscripten.errno(() => ops.sendmsg(sock, Buffer.from('a'), 0, 1)), ERRNO.EPIPE);
		assert.equal(ops.poll(sock), WRITE | POLL.HUP);
	});

	test('to no address disconnects, and the next call says so', () => {
		const { emscripten, connector, sock, ops } = connected();
		ops.disconnect(sock);
		const send = () => emscripten.errno(() => ops.sendmsg(sock, Buffer.from('a'), 0, 1));
		assert.deepEqual([send(), send()], [ERRNO.ECONNRESET, ERRNO.EPIPE]);
		assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), ERRNO.EINPROGRESS);
		assert.equal(connector.sockets.length, 2);
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

	test('an address that names no host is this machine', () => {
		for (const [given, dialed] of [['0.0.0.0', '127.0.0.1'], ['::', '::1']]) {
			const { connector, sock, ops, emscripten } = start();
			emscripten.errno(() => ops.connect(sock, given, 80));
			assert.equal(connector.sockets[0].target.host, dialed);
		}
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
		assert.equal(ops.poll(sock), READ | POLL.RDHUP, 'Linux tells the FIN beside the byte before it');
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

describe('where the caller waits and calls again', () => {
	const bytes = Buffer.from('abcdefghijkl');

	/** A connected blocking socket. */
	function repeated({ canWait = false } = {}) {
		const parts = connected({ canWait, nonblocking: false });
		const { call } = parts.emscripten;
		call.retries = true;
		/** The errno of an attempt and whether to wait. @param {() => unknown} run */
		const attempt = (run) => {
			call.wait = null;
			const errno = parts.emscripten.errno(run);
			return [errno, call.wait];
		};
		return { ...parts, call, attempt };
	}

	const forever = { until: Infinity };

	test('a receive waits, then has its bytes', () => {
		const { ops, sock, socket, attempt } = repeated();
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 3)), [ERRNO.EAGAIN, forever]);
		socket.incoming = Buffer.from('abc');
		assert.equal(Buffer.from(ops.recvmsg(sock, 3).buffer).toString(), 'abc');
	});

	test('so does a thread\'s whose main thread may block: the others\' calls go on', () => {
		const { call, connector, ops, sock, socket, attempt } = repeated({ canWait: true });
		call.thread = 1;
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 3)), [ERRNO.EAGAIN, forever]);
		assert.equal(connector.waits.length, 0);
		socket.incoming = Buffer.from('abc');
		assert.equal(Buffer.from(ops.recvmsg(sock, 3).buffer).toString(), 'abc');
	});

	test('MSG_WAITALL gathers, and gives less only at the end', () => {
		const { ops, sock, socket, attempt } = repeated();
		socket.incoming = Buffer.from('abc');
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 5, 0x100)), [ERRNO.EAGAIN, forever]);
		socket.incoming = Buffer.from('def');
		assert.equal(Buffer.from(ops.recvmsg(sock, 5, 0x100).buffer).toString(), 'abcde');
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 5, 0x100)), [ERRNO.EAGAIN, forever]);
		socket.fin = true;
		assert.equal(Buffer.from(ops.recvmsg(sock, 5, 0x100).buffer).toString(), 'f');
		assert.equal(ops.recvmsg(sock, 5, 0x100), null);
	});

	test('SO_RCVLOWAT is the least that poll() and a call that waits see', () => {
		const { ops, sock, socket, attempt, emscripten } = repeated();
		emscripten.heap[100] = 4;
		ops.setsockopt(sock, 1, 18, 400, 4);
		socket.incoming = Buffer.from('abc');
		assert.equal(ops.poll(sock) & POLL.IN, 0);
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 9)), [ERRNO.EAGAIN, forever]);
		socket.incoming = Buffer.from('de');
		assert.equal(Buffer.from(ops.recvmsg(sock, 9).buffer).toString(), 'abcde');
		socket.incoming = Buffer.from('fg');
		assert.equal(Buffer.from(ops.recvmsg(sock, 2).buffer).toString(), 'fg', 'a call for fewer has enough');
		socket.incoming = Buffer.from('hijk');
		assert.equal(ops.poll(sock) & POLL.IN, POLL.IN);
		ops.recvmsg(sock, 1);
		assert.equal(ops.poll(sock) & POLL.IN, 0);
		socket.fin = true;
		assert.equal(ops.poll(sock) & POLL.IN, POLL.IN);
		assert.equal(Buffer.from(ops.recvmsg(sock, 9).buffer).toString(), 'ijk');
	});

	test('a send goes on where it stood', () => {
		const { ops, sock, socket, attempt } = repeated();
		assert.deepEqual(attempt(() => ops.sendmsg(sock, bytes, 0, 12)), [ERRNO.EAGAIN, forever]);
		socket.room = 9;
		assert.equal(ops.sendmsg(sock, bytes, 0, 12), 12);
		assert.equal(socket.text, 'abcdefghijkl');
	});

	test('a send whose stack cannot wait after all has the rest taken', () => {
		const { ops, sock, socket, call, attempt } = repeated();
		attempt(() => ops.sendmsg(sock, bytes, 0, 12));
		call.retries = false;
		assert.equal(ops.sendmsg(sock, bytes, 0, 12), 12);
		assert.equal(socket.text, 'abcdefghijkl');
	});

	test('SO_RCVTIMEO and MSG_DONTWAIT end in EAGAIN', () => {
		const { emscripten, ops, sock, attempt } = repeated();
		emscripten.heap.set([0, 1000], 100);
		ops.setsockopt(sock, 1, 20, 400, 8);
		const before = performance.now();
		const [errno, wait] = attempt(() => ops.recvmsg(sock, 1));
		assert.equal(errno, ERRNO.EAGAIN);
		const { until } = /** @type {any} */ (wait);
		assert.ok(until > before && until <= performance.now() + 1);
		while (performance.now() < until);
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 1)), [ERRNO.EAGAIN, null]);
		assert.deepEqual(attempt(() => ops.recvmsg(sock, 1, 0x40)), [ERRNO.EAGAIN, null]);
	});

	test('connect() says what has become of it', () => {
		for (const [end, errno] of /** @type {const} */ ([[{ state: 'open' }, 0], [{ state: 'closed', error: ERRNO.ECONNREFUSED }, ERRNO.ECONNREFUSED]])) {
			const { emscripten, connector, ops, attempt } = repeated();
			const other = emscripten.socket({ nonblocking: false });
			const connect = () => ops.connect(other, 'b.test', 81);
			assert.deepEqual(attempt(connect), [ERRNO.EAGAIN, forever]);
			assert.deepEqual(attempt(connect), [ERRNO.EAGAIN, forever]);
			Object.assign(connector.sockets[1], end);
			assert.deepEqual(attempt(connect), [errno, null]);
			assert.equal(connector.sockets.length, 2);
			assert.equal(attempt(connect)[0], errno === 0 ? ERRNO.EISCONN : ERRNO.EAGAIN, 'a refused one begins anew');
		}
	});

	test('a connect() whose stack cannot wait after all succeeds at once', () => {
		const { emscripten, ops, call, attempt } = repeated();
		const other = emscripten.socket({ nonblocking: false });
		attempt(() => ops.connect(other, 'b.test', 81));
		call.retries = false;
		assert.deepEqual(attempt(() => ops.connect(other, 'b.test', 81)), [0, null]);
	});
});

describe('flags of recv', () => {
	test('MSG_PEEK leaves the bytes, by the argument or by the call', () => {
		const { emscripten, ops, sock, socket } = connected();
		socket.incoming = Buffer.from('abc');
		assert.equal(Buffer.from(ops.recvmsg(sock, 2, 2).buffer).toString(), 'ab');
		emscripten.call.flags = 2;
		assert.equal(Buffer.from(ops.recvmsg(sock, 9).buffer).toString(), 'abc');
		assert.equal(socket.available, 3);
	});

	test('MSG_TRUNC counts and stores nothing', () => {
		const { ops, sock, socket } = connected();
		socket.incoming = Buffer.from('abcdef');
		const { buffer } = ops.recvmsg(sock, 3, 0x20);
		assert.equal(buffer.byteLength, 3);
		const stored = new Uint8Array(3);
		stored.set(buffer);
		assert.deepEqual([...stored], [0, 0, 0]);
		assert.equal(Buffer.from(ops.recvmsg(sock, 9).buffer).toString(), 'def');
	});

	test('MSG_OOB is invalid, and no length takes nothing', () => {
		const { emscripten, ops, sock, socket } = connected();
		assert.equal(emscripten.errno(() => ops.recvmsg(sock, 1, 1)), ERRNO.EINVAL);
		assert.equal(emscripten.errno(() => ops.recvmsg(sock, 0)), ERRNO.EAGAIN);
		socket.incoming = Buffer.from('a');
		assert.equal(ops.recvmsg(sock, 0).buffer.length, 0);
		assert.equal(socket.available, 1);
	});
});

describe('shutdown', () => {
	test('of reading: the end at once, and the rest before it', () => {
		const { ops, sock, socket } = connected();
		socket.incoming = Buffer.from('ab');
		ops.shutdown(sock, 0);
		assert.equal(ops.recvmsg(sock, 9).buffer.length, 2);
		assert.equal(ops.recvmsg(sock, 9), null);
		assert.equal(ops.poll(sock), READ | WRITE | POLL.RDHUP);
		ops.shutdown(sock, 2);
		assert.equal(ops.poll(sock), READ | WRITE | POLL.RDHUP | POLL.HUP);
	});

	test('wakes what waits in poll()', () => {
		const { ops, sock } = connected();
		let events = 0;
		sock.stream.node.notifyListeners = (/** @type {number} */ mask) => {
			events |= mask;
		};
		ops.shutdown(sock, 2);
		assert.ok(events & POLL.IN && events & POLL.HUP);
	});
});

describe('dup', () => {
	test('a socket ends with its last descriptor', () => {
		const { emscripten, ops, sock, socket } = connected();
		const { fd } = sock.stream;
		const [second, third] = [emscripten.dup(fd), emscripten.dup(fd)];
		emscripten.close(fd);
		assert.equal(ops.sendmsg(sock, Buffer.from('ab'), 0, 2), 2);
		assert.equal(sock.stream.fd, second, 'events carry a descriptor that is there');
		emscripten.close(third);
		assert.deepEqual(socket.calls, []);
		emscripten.close(second);
		assert.deepEqual(socket.calls, ['close']);
	});
});

describe('peers', () => {
	/** A hidden program whose SOCKFS has peers. */
	function hidden() {
		const parts = start();
		parts.undo();
		const { emscripten } = parts;
		const made = /** @type {any[]} */ ([]);
		Object.assign(emscripten.ops, {
			createPeer(/** @type {any} */ sock, /** @type {string} */ addr, /** @type {number} */ port) {
				const peer = { addr, port, socket: new WebSocket(`ws://${addr}:${port}/`, ['binary']) };
				sock.peers[`${addr}:${port}`] = peer;
				for (const event of ['open', 'message', 'close', 'error', 'room']) /** @type {any} */ (peer.socket)[`on${event}`] = () => made.push(event);
				return peer;
			},
			removePeer: (/** @type {any} */ sock, /** @type {any} */ { addr, port }) => delete sock.peers[`${addr}:${port}`],
		});
		const program = { ...emscripten.program, emit: undefined };
		patchOps(program, parts.connector);
		const connect = () => emscripten.errno(() => parts.ops.connect(parts.sock, '10.0.0.1', 80));
		return { ...parts, made, connect };
	}

	test('hear of each event once, and of room by listeners alone', () => {
		const { connector, sock, made, connect } = hidden();
		assert.equal(connect(), ERRNO.EINPROGRESS);
		const [socket] = connector.sockets;
		const { socket: peer } = sock.peers['10.0.0.1:80'];
		let opened = 0;
		peer.addEventListener('open', () => void opened++);
		for (const event of ['open', 'message', 'room', 'close']) socket.tell(event);
		assert.deepEqual(made, ['open', 'message', 'close']);
		assert.equal(opened, 2);
	});

	test('what waits is told of what it can do: to write, to read, and the end of all', () => {
		const { connector, sock, made, connect } = hidden();
		connect();
		const [socket] = connector.sockets;
		const { socket: peer } = sock.peers['10.0.0.1:80'];
		/** @type {string[]} */
		const heard = [];
		for (const event of ['open', 'message', 'close']) peer.on(event, () => heard.push(event));
		Object.assign(socket, { state: 'open', room: 0 });
		socket.tell('open'); // the program has filled the buffer meanwhile
		assert.deepEqual(heard.splice(0), []);
		socket.room = 1000;
		socket.tell('room');
		assert.deepEqual(heard.splice(0), ['open']);
		socket.fin = true;
		socket.tell('close');
		assert.deepEqual(heard.splice(0), ['message'], 'a FIN is read');
		socket.state = 'closed';
		socket.tell('end');
		assert.deepEqual(heard, ['close']);
		assert.deepEqual(made, ['open', 'close']);
	});

	test('see whether there is something to read', () => {
		const { connector, sock, connect } = hidden();
		connect();
		assert.equal(sock.recv_queue.length, 0);
		sock.recv_queue.push({ data: new Uint8Array(1) });
		assert.equal(sock.recv_queue.length, 0);
		connector.sockets[0].incoming = Buffer.from('a');
		assert.equal(sock.recv_queue.length, 1);
	});

	test('go with a connection that has failed', () => {
		const { connector, sock, connect } = hidden();
		connect();
		Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.ECONNREFUSED });
		assert.equal(connect(), ERRNO.ECONNREFUSED);
		assert.deepEqual(sock.peers, {});
		assert.equal(connect(), ERRNO.EINPROGRESS);
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
