import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { encode, readAddress } from '../../src/sockfs/calls/sockaddr.js';
import { endCalls } from '../../src/sockfs/calls/ends.js';
import { patchImports } from '../../src/sockfs/calls/syscalls.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const AF_INET = 2;
const AF_INET6 = 10;
const ADDRESS = 1024;
const LENGTH = 1088;

/** A program with the system calls of addresses. */
function start() {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(false);
	const { heap, program } = emscripten;
	patchOps(program, connector);
	const view = new DataView(heap.buffer);
	/** @type {any[][]} */
	const reached = [];
	/** @type {Record<string, any>} */
	const env = {};
	for (const name of ['socket', 'connect', 'bind', 'listen', 'accept4', 'getsockname', 'getpeername', 'setsockopt']) {
		env[`__syscall_${name}`] = (/** @type {any[]} */ ...args) => {
			reached.push([name, ...args]);
			// The text is SOCKFS's own, which may be another one for the same address.
			if (name === 'connect' && view.getUint16(args[1], true) === AF_INET6) return -emscripten.errno(() => emscripten.ops.connect(program.sockOf(args[0]), '::', 1));
			if (name !== 'socket') return 0;
			return args[0] === AF_INET ? emscripten.socket({ type: args[1] & 15 }).stream.fd : -ERRNO.EAFNOSUPPORT;
		};
	}
	patchImports(new Map(Object.keys(env).map((key) => [key, { module: env, key }])), program, connector);
	const bytes = new Uint8Array(heap.buffer);
	/** @param {number} fd @param {string} host @param {number} port @param {{ family?: number, length?: number }} [options] */
	const connect = (fd, host, port, { family = host.includes(':') ? AF_INET6 : AF_INET, length } = {}) => {
		const address = encode(family, host, port);
		bytes.set(address, ADDRESS);
		return env.__syscall_connect(fd, ADDRESS, length ?? address.length, 0, 0, 0);
	};
	/** @param {'getsockname' | 'getpeername'} name @param {number} fd @param {number} [room] */
	const end = (name, fd, room = 28) => {
		view.setInt32(LENGTH, room, true);
		const result = env[`__syscall_${name}`](fd, ADDRESS, LENGTH, 0, 0, 0);
		if (result !== 0) return result;
		const { host, port } = readAddress(heap.buffer, ADDRESS, 28);
		return `${host} ${port} ${view.getInt32(LENGTH, true)}`;
	};
	return { emscripten, connector, program, env, bytes, view, reached, connect, end };
}

describe('IPv6', () => {
	test('a TCP socket of its own connects to literals, and both ends have their addresses', () => {
		const { connector, env, connect, end, program } = start();
		const fd = env.__syscall_socket(AF_INET6, 1 | 2048, 0);
		assert.equal(program.sockOf(fd).family, AF_INET6);
		assert.equal(end('getsockname', fd), ':: 0 28');
		assert.equal(end('getpeername', fd), -ERRNO.ENOTCONN);
		assert.equal(connect(fd, '2001:db8::7', 80), -ERRNO.EINPROGRESS);
		const [socket] = connector.sockets;
		assert.deepEqual([socket.target.host, socket.target.port], ['2001:db8::7', 80]);
		assert.equal(end('getpeername', fd), -ERRNO.ENOTCONN);
		Object.assign(socket, { state: 'open', local: { addr: 'fe80::1', port: 4000 }, remote: { addr: '2001:db8::7', port: 80 } });
		assert.equal(end('getsockname', fd), 'fe80::1 4000 28');
		assert.equal(end('getpeername', fd), '2001:db8::7 80 28');
	});

	test('mapped addresses are those of IPv4, unless the socket is for IPv6 only', () => {
		const { connector, env, bytes, view, connect, end, program } = start();
		const fd = env.__syscall_socket(AF_INET6, 1 | 2048, 0);
		connect(fd, '::ffff:192.0.2.1', 80);
		assert.equal(connector.sockets[0].target.host, '192.0.2.1');
		Object.assign(connector.sockets[0], { state: 'open', remote: { addr: '192.0.2.1', port: 80 } });
		assert.equal(end('getpeername', fd), '192.0.2.1 80 28');
		assert.deepEqual([...bytes.subarray(ADDRESS + 16, ADDRESS + 24)], [0, 0, 255, 255, 192, 0, 2, 1]);
		const only = env.__syscall_socket(AF_INET6, 1, 0);
		view.setInt32(LENGTH, 1, true);
		assert.equal(env.__syscall_setsockopt(only, 41, 26, LENGTH, 4, 0), 0);
		assert.equal(connect(only, '::ffff:192.0.2.1', 80), -ERRNO.ENETUNREACH);
		Object.assign(/** @type {any} */ (program.sockOf(only)), { saddr: '::1', sport: 80 });
		assert.equal(env.__syscall_setsockopt(only, 41, 26, LENGTH, 4, 0), -ERRNO.EINVAL, 'it has a port');
	});

	test('a socket of the other family, and an address that is too short', () => {
		const { env, connect, reached, connector } = start();
		const [six, four] = [AF_INET6, AF_INET].map((family) => env.__syscall_socket(family, 1, 0));
		assert.equal(connect(four, '::1', 80), -ERRNO.EAFNOSUPPORT);
		assert.equal(connect(six, '127.0.0.1', 80), -ERRNO.EINVAL, 'shorter than one of IPv6');
		assert.equal(connect(six, '127.0.0.1', 80, { length: 28 }), -ERRNO.EAFNOSUPPORT);
		assert.equal(connect(six, '::1', 80, { length: 20 }), -ERRNO.EINVAL);
		assert.equal(connect(four, '127.0.0.1', 80, { length: 8 }), -ERRNO.EINVAL);
		assert.equal(connector.sockets.length, 0);
		connect(four, '127.0.0.1', 80, { length: 128 });
		assert.deepEqual(reached.at(-1), ['connect', four, ADDRESS, 16, 0, 0, 0], 'SOCKFS takes one length only');
	});

	test('a socket for datagrams is one, raw sockets and other families are the program\'s own', () => {
		const { env, program } = start();
		assert.equal(program.sockOf(env.__syscall_socket(AF_INET6, 2, 0)).family, AF_INET6);
		assert.equal(env.__syscall_socket(AF_INET6, 3, 0), -ERRNO.EAFNOSUPPORT);
		assert.equal(env.__syscall_socket(1, 1, 0), -ERRNO.EAFNOSUPPORT);
	});

	test('what Linux makes no socket of never reaches SOCKFS', () => {
		const { env, reached } = start();
		/** @type {[family: number, type: number, protocol: number, errno: number][]} */
		const wrong = [
			[AF_INET, 99, 0, ERRNO.EINVAL], [AF_INET, 15, 0, ERRNO.EINVAL], [AF_INET, 0, 0, ERRNO.ESOCKTNOSUPPORT], [99, 1, 0, ERRNO.EAFNOSUPPORT],
			[AF_INET, 1, 17, ERRNO.EPROTONOSUPPORT], [AF_INET, 2 | 2048, 6, ERRNO.EPROTONOSUPPORT], [AF_INET6, 1, 17, ERRNO.EPROTONOSUPPORT],
		];
		for (const [family, type, protocol, errno] of wrong) assert.equal(env.__syscall_socket(family, type, protocol), -errno, `${family} ${type} ${protocol}`);
		assert.deepEqual(reached, []);
		assert.ok(env.__syscall_socket(AF_INET, 1 | 0x80800, 6) >= 0);
	});

	test('a program whose sockets cannot be found has none, and keeps no descriptor', () => {
		const { program } = start();
		/** @type {number[]} */
		const released = [];
		const { socket } = endCalls({ ...program, sockOf: () => null, release: (fd) => void released.push(fd) }, (run) => run());
		const made = socket((family) => (family === AF_INET ? 7 : -ERRNO.EAFNOSUPPORT));
		assert.equal(made(AF_INET6, 1, 0), -ERRNO.EAFNOSUPPORT);
		assert.deepEqual([made(AF_INET, 1, 0), made(AF_INET6, 3, 0), released], [7, -ERRNO.EAFNOSUPPORT, [7]]);
	});

	test('the name behind an address is dialed', () => {
		const { connector, env, connect, program } = start();
		program.hosts.note('a.test', '2001:db8::1');
		connect(env.__syscall_socket(AF_INET6, 1 | 2048, 0), '2001:db8::1', 80);
		program.hosts.note('b.test', '172.29.1.0');
		connect(env.__syscall_socket(AF_INET6, 1 | 2048, 0), '::ffff:172.29.1.0', 80);
		assert.deepEqual(connector.sockets.map(({ target }) => target.host), ['a.test', 'b.test']);
	});
});

describe('the peer', () => {
	test('is what the server says, as far as the socket can say it', () => {
		const { emscripten, connector, end, program } = start();
		const sock = emscripten.socket();
		const { fd } = sock.stream;
		program.hosts.note('a.test', '172.29.1.0');
		emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80));
		const [socket] = connector.sockets;
		socket.state = 'open';
		assert.equal(end('getpeername', fd), '172.29.1.0 80 16', 'behind a proxy the server knows none');
		socket.remote = { addr: '2001:db8::1', port: 80 };
		assert.equal(end('getpeername', fd), '172.29.1.0 80 16');
		socket.remote = { addr: '192.0.2.1', port: 80 };
		assert.equal(end('getpeername', fd), '192.0.2.1 80 16');
		socket.fin = true;
		assert.equal(end('getpeername', fd), '192.0.2.1 80 16');
		socket.state = 'closed';
		assert.equal(end('getpeername', fd), -ERRNO.ENOTCONN);
	});

	test('is cut to the room that there is, and its length is told', () => {
		const { emscripten, connector, bytes, end, view } = start();
		const sock = emscripten.socket();
		emscripten.errno(() => emscripten.ops.connect(sock, '192.0.2.1', 80));
		connector.sockets[0].state = 'open';
		bytes.fill(0x55, ADDRESS, ADDRESS + 32);
		end('getpeername', sock.stream.fd, 4);
		assert.deepEqual([...bytes.subarray(ADDRESS, ADDRESS + 6)], [2, 0, 0, 80, 0x55, 0x55]);
		assert.equal(view.getInt32(LENGTH, true), 16);
		assert.equal(end('getpeername', sock.stream.fd, -1), -ERRNO.EINVAL);
	});

	test('of a socket that is not ours is SOCKFS\'s', () => {
		const { emscripten, env, reached } = start();
		const fd = emscripten.socket({ type: 2 }).stream.fd;
		env.__syscall_getpeername(fd, ADDRESS, LENGTH, 0, 0, 0);
		env.__syscall_getsockname(99, ADDRESS, LENGTH, 0, 0, 0);
		assert.deepEqual(reached.map(([name, at]) => [name, at]), [['getpeername', fd], ['getsockname', 99]]);
	});
});

describe('servers', () => {
	/** A connection of 192.0.2.1:40000 with the number 7. */
	const RECORD = Buffer.from('0009000704c00002019c40', 'hex');

	/** A listener with a connection to accept. */
	function serve() {
		const parts = start();
		const { emscripten, program, connector, env, view } = parts;
		program.create = (_family, type) => emscripten.socket({ type, nonblocking: false });
		const fd = env.__syscall_socket(AF_INET, 1 | 2048, 0);
		const sock = program.sockOf(fd);
		program.ops.listen(sock, 1);
		Object.assign(connector.sockets[0], { state: 'open', incoming: RECORD });
		view.setInt32(LENGTH, 16, true);
		return { ...parts, fd };
	}

	test('accept4() gives the peer\'s address, as far as there is room, and sets flags', () => {
		const { emscripten, env, bytes, view, fd } = serve();
		assert.equal(env.__syscall_accept4(fd, ADDRESS, LENGTH, 1, 0, 0), -ERRNO.EINVAL);
		view.setInt32(LENGTH, 6, true);
		bytes.fill(0, ADDRESS, ADDRESS + 16);
		const made = env.__syscall_accept4(fd, ADDRESS, LENGTH, 0x80000 | 2048, 0, 0);
		assert.equal(emscripten.streams[made].flags, 2 | 2048);
		assert.deepEqual([view.getInt32(LENGTH, true), bytes[ADDRESS + 5], bytes[ADDRESS + 6]], [16, 0, 0]);
		assert.equal(bytes[ADDRESS + 4], 192);
	});

	test('a listener has no peer', () => {
		const { end, fd } = serve();
		assert.equal(end('getpeername', fd), -ERRNO.ENOTCONN);
	});

	test('bind() takes addresses of the socket\'s family only', () => {
		const { env, bytes } = start();
		const fd = env.__syscall_socket(AF_INET, 1, 0);
		/** @param {string} host @param {number} length */
		const bind = (host, length) => {
			bytes.set(encode(host.includes(':') ? AF_INET6 : AF_INET, host, 8080), ADDRESS);
			return env.__syscall_bind(fd, ADDRESS, length, 0, 0, 0);
		};
		assert.equal(bind('127.0.0.1', 4), -ERRNO.EINVAL);
		assert.equal(bind('::1', 28), -ERRNO.EAFNOSUPPORT);
		assert.equal(bind('127.0.0.1', 16), 0);
	});
});
