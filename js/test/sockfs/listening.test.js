import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { POLL } from '../../src/sockfs/flags.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import * as ERRNO from '../../src/wire/generated/errno.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const READ = POLL.IN | POLL.RDNORM;
/** A connection of 192.0.2.1:40000 with the number 7. */
const RECORD = Buffer.from('0009000704c00002019c40', 'hex');

/** @param {{ canWait?: boolean, nonblocking?: boolean }} [options] */
function start({ canWait = false, nonblocking = true } = {}) {
	const emscripten = new FakeEmscripten();
	emscripten.ops.listen = () => {
		throw new emscripten.ErrnoError(ERRNO.ENOTSUP);
	};
	emscripten.ops.accept = emscripten.ops.listen;
	emscripten.ops.bind = (/** @type {any} */ sock, /** @type {string} */ saddr, /** @type {number} */ sport) => void Object.assign(sock, { saddr, sport });
	const connector = new FakeConnector(canWait);
	const { program } = emscripten;
	program.create = (_family, type) => emscripten.socket({ type, nonblocking: false });
	patchOps(program, connector);
	const sock = emscripten.socket({ nonblocking });
	return { emscripten, program, connector, sock, ops: emscripten.ops };
}

/** A listener whose server has answered. @param {Parameters<typeof start>[0]} [options] */
function listening(options) {
	const parts = start(options);
	parts.ops.bind(parts.sock, '0.0.0.0', 8080);
	parts.connector.meanwhile = [() => Object.assign(parts.connector.sockets[0], { state: 'open', local: { addr: '127.0.0.1', port: 8080 } })];
	parts.ops.listen(parts.sock, 5);
	const [socket] = parts.connector.sockets;
	Object.assign(socket, { state: 'open', local: { addr: '127.0.0.1', port: 8080 } });
	return { ...parts, socket };
}

describe('listen()', () => {
	test('asks the server, and waits where the thread can', () => {
		const { connector, sock, socket } = listening({ canWait: true, nonblocking: false });
		assert.deepEqual(socket.target, { kind: KIND.listen, host: '0.0.0.0', port: 8080 });
		assert.deepEqual(socket.sent, [Buffer.from([0, 0, 0, 5])]);
		assert.equal(connector.waits.length, 1);
		assert.deepEqual([sock.saddr, sock.sport], ['127.0.0.1', 8080]);
	});

	test('on a port of the server\'s choice shows it', () => {
		const { connector, ops, sock } = start();
		ops.bind(sock, '127.0.0.1', 0);
		ops.listen(sock, 1);
		assert.equal(connector.sockets[0].target.port, 0);
		connector.sockets[0].local = { addr: '127.0.0.1', port: 8123 };
		assert.equal(sock.sport, 8123);
	});

	test('fails as the server says, and the socket may try another port', () => {
		const { emscripten, connector, ops, sock } = start({ canWait: true });
		ops.bind(sock, '127.0.0.1', 80);
		connector.meanwhile = [() => Object.assign(connector.sockets[0], { state: 'closed', error: ERRNO.EADDRINUSE })];
		assert.equal(emscripten.errno(() => ops.listen(sock, 1)), ERRNO.EADDRINUSE);
		// The port of the first stream is free when the server has ended it.
		connector.meanwhile = [() => void (connector.sockets[0].fin = true), () => void (connector.sockets[1].state = 'open')];
		assert.equal(emscripten.errno(() => ops.listen(sock, 1)), 0);
		assert.deepEqual(connector.sockets[0].calls, ['shutdown 1', 'close']);
	});

	test('of a connected socket fails, and a second one changes the backlog', () => {
		const { emscripten, ops, sock, socket, connector } = listening();
		ops.listen(sock, 9);
		assert.deepEqual(socket.sent.at(-1), Buffer.from([0, 0, 0, 9]));
		assert.equal(connector.sockets.length, 1);
		const other = emscripten.socket();
		emscripten.errno(() => ops.connect(other, 'a.test', 80));
		assert.equal(emscripten.errno(() => ops.listen(other, 1)), ERRNO.EINVAL);
	});
});

describe('bind() where the thread can wait', () => {
	/** @param {number} port @param {Record<string, any>} answer  of the server */
	const bind = (port, answer) => {
		const parts = start({ canWait: true });
		const { emscripten, connector, ops, sock } = parts;
		connector.binds = true;
		connector.meanwhile = [() => Object.assign(connector.sockets[0], answer)];
		return { ...parts, errno: emscripten.errno(() => ops.bind(sock, '127.0.0.1', port)) };
	};
	const BOUND = { state: 'open', local: { addr: '127.0.0.1', port: 8123 } };

	test('asks the server, and listen() goes on with its stream', () => {
		const { connector, ops, sock, errno } = bind(0, BOUND);
		assert.deepEqual([errno, sock.saddr, sock.sport], [0, '127.0.0.1', 8123]);
		const [socket] = connector.sockets;
		assert.deepEqual([socket.target, socket.sent], [{ kind: KIND.listen, host: '127.0.0.1', port: 0 }, []]);
		ops.listen(sock, 5);
		assert.deepEqual([connector.sockets.length, socket.sent], [1, [Buffer.from([0, 0, 0, 5])]]);
	});

	test('fails as the server says, and leaves the socket unbound', () => {
		const { sock, errno } = bind(80, { state: 'closed', error: ERRNO.EACCES });
		assert.deepEqual([errno, sock.saddr, sock.sport], [ERRNO.EACCES, undefined, undefined]);
	});

	test('of any port succeeds for a client where the server lets nothing listen', () => {
		const { emscripten, connector, ops, sock, errno } = bind(0, { state: 'closed', fin: true, error: ERRNO.EACCES });
		assert.equal(errno, 0);
		assert.ok(sock.sport > 1023);
		connector.meanwhile = [() => Object.assign(connector.sockets[1], { state: 'closed', error: ERRNO.EACCES })];
		assert.equal(emscripten.errno(() => ops.listen(sock, 1)), ERRNO.EACCES);
	});

	test('gives the port back when the socket connects or is closed', () => {
		const { emscripten, connector, ops, sock } = bind(0, BOUND);
		emscripten.errno(() => ops.connect(sock, 'a.test', 80));
		assert.deepEqual(connector.sockets[0].calls, ['shutdown 1']);
		assert.equal(connector.sockets[1].target.host, 'a.test');
		const other = bind(0, BOUND);
		other.emscripten.close(other.sock.stream.fd);
		assert.deepEqual(other.connector.sockets[0].calls, ['shutdown 1']);
	});

	test('stays with the program where the page lets nothing listen', () => {
		const { connector, ops, sock } = start({ canWait: true });
		ops.bind(sock, '127.0.0.1', 80);
		assert.deepEqual([connector.sockets.length, sock.sport], [0, 80]);
	});
});

test('shutdown() of the reading end ends a listener, which may listen again', () => {
	const { emscripten, connector, ops, sock, socket } = listening();
	ops.shutdown(sock, 1);
	assert.deepEqual(socket.calls, []);
	ops.shutdown(sock, 2);
	assert.deepEqual(socket.calls, ['shutdown 1']);
	assert.equal(emscripten.errno(() => ops.shutdown(sock, 2)), ERRNO.ENOTCONN);
	ops.listen(sock, 1);
	assert.equal(connector.sockets[1].target.port, 8080);
});

describe('accept()', () => {
	test('says EAGAIN, then takes what has come, which poll() shows', () => {
		const { emscripten, connector, ops, sock, socket } = listening();
		assert.equal(emscripten.errno(() => ops.accept(sock)), ERRNO.EAGAIN);
		assert.equal(ops.poll(sock), 0);
		socket.incoming = Buffer.concat([RECORD, RECORD.subarray(0, 5)]);
		socket.tell('message');
		assert.deepEqual(emscripten.emitted.at(-1), ['connection', sock.stream.fd]);
		assert.equal(ops.poll(sock), READ);
		const made = ops.accept(sock);
		assert.deepEqual([made.daddr, made.dport, made.saddr, made.sport], ['192.0.2.1', 40000, '127.0.0.1', 8080]);
		assert.deepEqual(connector.sockets[1].target, { kind: KIND.accept, host: '', port: 7, name: '192.0.2.1:40000' });
		assert.equal(ops.poll(sock), 0);
		// What is written before the server's answer follows it.
		assert.equal(ops.sendmsg(made, Buffer.from('hi'), 0, 2), 2);
		connector.sockets[1].state = 'open';
		connector.sockets[1].incoming = Buffer.from('hello');
		assert.equal(ops.poll(made) & READ, READ);
		assert.equal(Buffer.from(ops.recvmsg(made, 9).buffer).toString(), 'hello');
	});

	test('waits where the thread can, and ends with the listener', () => {
		const { emscripten, connector, ops, sock, socket } = listening({ canWait: true, nonblocking: false });
		connector.meanwhile = [() => {}, () => void (socket.incoming = RECORD)];
		assert.equal(ops.accept(sock).dport, 40000);
		connector.meanwhile = [() => Object.assign(socket, { state: 'closed', fin: true, error: ERRNO.ECONNABORTED })];
		assert.equal(emscripten.errno(() => ops.accept(sock)), ERRNO.ECONNABORTED);
		assert.equal(ops.poll(sock), READ);
		assert.equal(emscripten.errno(() => ops.accept(sock)), ERRNO.EINVAL);
	});

	test('shows IPv4 to a program of IPv6', () => {
		const { ops, sock, socket } = listening();
		sock.family = 10;
		socket.incoming = RECORD;
		assert.equal(ops.accept(sock).daddr, '::ffff:192.0.2.1');
	});
});

describe('what waits for a listener by the clients of its server, as php-wasm does', () => {
	const watch = (/** @type {any} */ sock) => {
		/** @type {string[]} */
		const heard = [];
		const [client] = sock.server.clients;
		for (const event of ['open', 'message', 'close']) client.on(event, () => heard.push(event));
		return { heard, client };
	};

	test('is told of a connection, which is pending until it is accepted', () => {
		const { ops, sock, socket } = listening();
		const { heard, client } = watch(sock);
		assert.deepEqual([sock.pending, client.readyState], [[], client.CONNECTING]);
		socket.tell('open');
		socket.tell('room');
		socket.incoming = RECORD;
		socket.tell('message');
		assert.deepEqual(heard, ['message']);
		assert.equal(sock.pending[0].recv_queue.length, 1);
		ops.accept(sock);
		assert.deepEqual(sock.pending, []);
	});

	test('is told of the end, and accept() says why', () => {
		const { emscripten, ops, sock, socket } = listening();
		const { heard, client } = watch(sock);
		Object.assign(socket, { state: 'closed', fin: true, error: ERRNO.EACCES });
		socket.tell('error');
		assert.deepEqual([heard, client.readyState, sock.pending.length], [['close'], client.CLOSED, 1]);
		assert.equal(emscripten.errno(() => ops.accept(sock)), ERRNO.EACCES);
		emscripten.close(sock.stream.fd);
		assert.deepEqual(sock.pending, []);
	});
});

test('a listener is no connection, and close() ends it', () => {
	const { emscripten, ops, sock, socket } = listening();
	assert.equal(emscripten.errno(() => ops.sendmsg(sock, Buffer.from('x'), 0, 1)), ERRNO.EPIPE);
	assert.equal(emscripten.errno(() => ops.recvmsg(sock, 1)), ERRNO.ENOTCONN);
	assert.equal(emscripten.errno(() => ops.connect(sock, 'a.test', 80)), ERRNO.EISCONN);
	emscripten.close(sock.stream.fd);
	assert.deepEqual(socket.calls, ['shutdown 1']);
});
