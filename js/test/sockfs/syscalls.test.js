import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { patchImports, waitFor } from '../../src/sockfs/calls/syscalls.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

/**
 * A program whose system calls record that they were reached.
 * @param {{ canWait?: boolean, nonblocking?: boolean, alone?: boolean, dup?: (streams: any[], fd: number) => number }} [options]
 *   dup: the program's own, whose FS is hidden
 */
function start({ canWait = true, nonblocking = true, alone = false, dup } = {}) {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(canWait);
	const { program } = emscripten;
	if (!dup) program.clone = (stream, at) => emscripten.clone?.(stream, at) ?? -1;
	patchOps(program, connector);
	/** @type {unknown[][]} */
	const reached = [];
	const names = ['__syscall_poll', '__syscall_shutdown', '__syscall_setsockopt', '__syscall_getsockopt', '__syscall_connect', '__syscall_recvfrom', '__syscall_recvmsg', '__syscall_ioctl', '__syscall_dup', '__syscall_fcntl64', '__syscall_pipe', 'fd_read', 'fd_write'];
	/** @type {Record<string, any>} */
	const env = Object.fromEntries(names.map((name) => [name, Object.assign((/** @type {any[]} */ ...args) => {
		reached.push([name, ...args]);
		if (name === '__syscall_fcntl64' && args[0] === env.closed) return -ERRNO.EBADF;
		return name === '__syscall_poll' && connector.sockets.some((socket) => socket.available > 0) ? 1 : 0;
	}, { sig: 'iii' })]));
	if (dup) env.__syscall_dup = (/** @type {number} */ fd) => dup(emscripten.streams, fd);
	const before = { ...env };
	patchImports(new Map(names.map((name) => [name, { module: env, key: name }])), program, connector, { alone });
	const sock = emscripten.socket();
	emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80));
	const [socket] = connector.sockets;
	socket.state = 'open';
	if (!nonblocking) sock.stream.flags &= ~2048;
	const other = emscripten.socket();
	return { emscripten, connector, reached, env, before, socket, fd: sock.stream.fd, otherFd: other.stream.fd };
}

/** @param {FakeEmscripten} emscripten @param {number[]} fds */
function pollfds({ heap }, fds) {
	fds.forEach((fd, i) => {
		heap[2 * i] = fd;
		heap[2 * i + 1] = 1;
	});
	return 0;
}

test('calls that are not known stay, and the others keep their signatures', () => {
	const { env, before } = start();
	assert.equal(env.__syscall_pipe, before.__syscall_pipe);
	assert.equal(env.__syscall_poll.sig, 'iii');
});

test('poll waits until something is ready', () => {
	const { emscripten, connector, env, socket, fd } = start();
	connector.meanwhile = [() => {}, () => void (socket.incoming = Buffer.from('x'))];
	assert.equal(env.__syscall_poll(pollfds(emscripten, [fd]), 1, -1), 1);
	assert.deepEqual(connector.waits, [Infinity, Infinity]);
});

test('poll with no time, with something ready, or with none of ours never waits', () => {
	const { emscripten, connector, env, reached, socket, fd, otherFd } = start();
	assert.equal(env.__syscall_poll(pollfds(emscripten, [fd]), 1, 0), 0);
	assert.equal(env.__syscall_poll(pollfds(emscripten, [otherFd]), 1, 5000), 0);
	assert.deepEqual(reached.at(-1), ['__syscall_poll', 0, 1, 5000], 'the original has its own way of waiting');
	socket.incoming = Buffer.from('x');
	assert.equal(env.__syscall_poll(pollfds(emscripten, [otherFd, fd]), 2, 5000), 1);
	assert.deepEqual(connector.waits, []);
});

test('where it may wait alone, poll waits without sockets too: for its time, or for a signal', () => {
	const { emscripten, connector, env, otherFd } = start({ alone: true });
	const nap = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);
	connector.meanwhile = Array.from({ length: 10 }, () => nap);
	for (const fds of [[], [otherFd]]) {
		const began = performance.now();
		assert.equal(env.__syscall_poll(pollfds(emscripten, fds), fds.length, 40), 0);
		assert.ok(performance.now() - began >= 39);
	}
	connector.waits = [];
	assert.equal(env.__syscall_poll(pollfds(emscripten, [otherFd]), 1, -1), 0, 'nothing would end it');
	assert.deepEqual(connector.waits, []);
	let looks = 0;
	connector.interrupted = () => ++looks > 2;
	assert.equal(env.__syscall_poll(0, 0, -1), -ERRNO.EINTR);
	assert.equal(connector.waits.length, 2);
});

test('poll gives up when its time is over', () => {
	const { emscripten, connector, env, fd } = start();
	const nap = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);
	connector.meanwhile = Array.from({ length: 10 }, () => nap);
	const began = performance.now();
	assert.equal(env.__syscall_poll(pollfds(emscripten, [fd]), 1, 40), 0);
	assert.ok(performance.now() - began >= 39);
	assert.ok(connector.waits.every((wait) => wait > 0 && wait <= 40), connector.waits.join(' '));
});

test('where nobody can wait poll is the original', () => {
	const { emscripten, connector, env, reached, fd } = start({ canWait: false });
	assert.equal(env.__syscall_poll(pollfds(emscripten, [fd]), 1, 700), 0);
	assert.deepEqual(reached.at(-1), ['__syscall_poll', 0, 1, 700]);
	assert.deepEqual(connector.waits, []);
});

test('shutdown reaches our sockets and no others', () => {
	const { env, reached, socket, fd, otherFd } = start();
	assert.equal(env.__syscall_shutdown(fd, 1, 0, 0, 0, 0), 0);
	assert.deepEqual(socket.calls, ['shutdown 1']);
	assert.equal(env.__syscall_shutdown(fd, 3, 0, 0, 0, 0), -ERRNO.EINVAL);
	socket.state = 'connecting';
	assert.equal(env.__syscall_shutdown(fd, 1, 0, 0, 0, 0), -ERRNO.ENOTCONN);
	assert.equal(env.__syscall_shutdown(otherFd, 2, 0, 0, 0, 0), -ERRNO.ENOTCONN);
	assert.deepEqual(reached, []);
	env.__syscall_shutdown(99, 2, 0, 0, 0, 0);
	assert.deepEqual(reached, [['__syscall_shutdown', 99, 2, 0, 0, 0, 0]]);
});

test('options are those of the operations, before connect() too', () => {
	const { emscripten, env, reached, fd, otherFd } = start();
	emscripten.heap[100] = 1;
	emscripten.heap[101] = 4;
	for (const of of [fd, otherFd]) {
		assert.equal(env.__syscall_setsockopt(of, 6, 1, 400, 4, 0), 0);
		assert.equal(env.__syscall_getsockopt(of, 6, 1, 408, 404, 0), 0);
		assert.equal(emscripten.heap[102], 1);
		assert.equal(env.__syscall_setsockopt(of, 6, 999, 400, 4, 0), -ERRNO.ENOPROTOOPT);
	}
	assert.deepEqual(reached, []);
	env.__syscall_setsockopt(99, 6, 1, 400, 4, 0);
	assert.equal(reached.length, 1, 'no socket: the original says so');
});

test('connect() to no address ends the connection and keeps the descriptor', () => {
	const { emscripten, env, reached, socket, fd } = start();
	emscripten.heap[100] = 0;
	assert.equal(env.__syscall_connect(fd, 400, 16, 0, 0, 0), 0);
	assert.deepEqual(socket.calls, ['reset', 'close']);
	emscripten.heap[100] = 2;
	env.__syscall_connect(fd, 400, 16, 0, 0, 0);
	assert.equal(reached.length, 1, 'addresses are SOCKFS\'s business');
});

test('bytes of TCP come without an address', () => {
	const { emscripten, env, reached, socket, fd, otherFd } = start();
	emscripten.heap[101] = 16;
	env.__syscall_recvfrom(fd, 800, 2, 0, 600, 404);
	env.__syscall_recvfrom(otherFd, 800, 2, 0, 600, 404);
	assert.deepEqual(reached, [['__syscall_recvfrom', fd, 800, 2, 0, 0, 0], ['__syscall_recvfrom', otherFd, 800, 2, 0, 600, 404]]);
	assert.equal(emscripten.heap[101], 0);
	emscripten.heap.set([600, 16, 480, 2, 0, 8, 1], 100);
	emscripten.heap.set([800, 2, 900, 9], 120);
	socket.incoming = Buffer.from('abcd');
	assert.equal(env.__syscall_recvmsg(fd, 400, 0), 4);
	assert.deepEqual([...emscripten.heap.subarray(100, 107)], [600, 0, 480, 2, 0, 0, 0]);
	const bytes = Buffer.from(emscripten.heap.buffer);
	assert.deepEqual([bytes.toString('latin1', 800, 803), bytes.toString('latin1', 900, 903)], ['ab\0', 'cd\0']);
});

test('FIONBIO is a flag of every socket', () => {
	const { emscripten, env, reached, fd, otherFd } = start();
	emscripten.heap[100] = 480;
	for (const of of [fd, otherFd]) {
		emscripten.heap[120] = 0;
		assert.equal(env.__syscall_ioctl(of, 0x5421, 400), 0);
		assert.equal(emscripten.streams[of].flags, 2);
		emscripten.heap[120] = 1;
		assert.equal(env.__syscall_ioctl(of, 0x5421, 400), 0);
		assert.equal(emscripten.streams[of].flags, 2 | 2048);
	}
	assert.deepEqual(reached, []);
	env.__syscall_ioctl(99, 0x5421, 400);
	assert.equal(reached.length, 1);
});

test('FIOCLEX changes nothing', () => {
	const { env, reached, fd, otherFd } = start();
	assert.deepEqual([env.__syscall_ioctl(fd, 0x5451, 400), env.__syscall_ioctl(otherFd, 0x5450, 400)], [0, 0]);
	assert.deepEqual(reached, []);
});

for (const name of ['fd_read', 'fd_write']) {
	test(`${name} of no bytes ends at once, and takes 1024 buffers at most`, () => {
		const { emscripten, env, reached, fd } = start();
		emscripten.heap.set([480, 0, 500, 0], 100); // two empty buffers
		emscripten.heap[110] = 7;
		assert.deepEqual([env[name](fd, 400, 2, 440), emscripten.heap[110]], [0, 0]);
		emscripten.heap[110] = 7;
		assert.deepEqual([env[name](fd, 400, 0, 440), emscripten.heap[110]], [0, 0]);
		assert.deepEqual([env[name](fd, 400, -1, 440), env[name](fd, 400, 1025, 440)], [ERRNO.EINVAL, ERRNO.EINVAL]);
		assert.deepEqual(reached, []);
		emscripten.heap[103] = 4;
		env[name](fd, 400, 2, 440);
		env[name](99, 400, 0, 440); // a file
		assert.deepEqual(reached, [[name, fd, 400, 2, 440], [name, 99, 400, 0, 440]]);
	});
}

test('F_SETFL sets what is given and takes back the rest', () => {
	const { emscripten, env, reached, fd } = start();
	emscripten.heap[100] = 0;
	assert.equal(env.__syscall_fcntl64(fd, 4, 400), 0);
	assert.equal(emscripten.streams[fd].flags, 2);
	emscripten.heap[100] = 2048 | 2;
	assert.equal(env.__syscall_fcntl64(fd, 4, 400), 0);
	assert.equal(emscripten.streams[fd].flags, 2 | 2048);
	assert.deepEqual(reached, []);
	env.__syscall_fcntl64(99, 4, 400);
	assert.deepEqual(reached, [['__syscall_fcntl64', 99, 4, 400]]);
});

test('F_DUPFD of older releases gives the first free descriptor from one on', () => {
	const { emscripten, env, reached, fd } = start();
	/** @type {number[]} */
	const asked = [];
	emscripten.clone = (stream, at) => {
		asked.push(Number(at));
		emscripten.streams[Number(at)] = { ...stream, fd: at };
		return Number(at);
	};
	// The recorder says of each descriptor that it is open; this one is not.
	env.closed = 3;
	emscripten.heap[100] = 3;
	assert.equal(env.__syscall_fcntl64(fd, 0, 400), 3);
	assert.deepEqual(asked, [3]);
	emscripten.heap[100] = -1;
	assert.equal(env.__syscall_fcntl64(fd, 0, 400), -ERRNO.EINVAL);
	assert.deepEqual(reached.filter(([, , command]) => command === 0), []);
});

test('what has not left can be asked for, and urgent data', () => {
	const { emscripten, env, socket, fd } = start();
	Object.assign(socket, { unsent: 7 });
	emscripten.heap[100] = 480;
	assert.equal(env.__syscall_ioctl(fd, 0x5411, 400), 0);
	assert.equal(emscripten.heap[120], 7);
	assert.equal(env.__syscall_ioctl(fd, 0x8905, 400), 0);
	assert.equal(emscripten.heap[120], 0);
});

test('descriptors that older releases make count too', () => {
	const { emscripten, env, socket, fd } = start();
	const clone = () => {
		emscripten.streams.push({ ...emscripten.streams[fd], fd: emscripten.streams.length });
		return emscripten.streams.length - 1;
	};
	emscripten.clone = clone;
	const second = env.__syscall_dup(fd);
	emscripten.close(fd);
	assert.deepEqual(socket.calls, []);
	emscripten.close(second);
	assert.deepEqual(socket.calls, ['close']);
});

test('dup() of a release that opens the path again, in a program whose FS is hidden', () => {
	class FSStream {}
	const { emscripten, env, socket, fd } = start({
		dup(streams, old) {
			if (streams[old].path !== '/dev/null') return -ERRNO.ENOENT;
			const made = Object.assign(new FSStream(), { path: '/dev/null', node: {}, stream_ops: {} });
			/** @type {any} */ (made).fd = streams.length;
			return streams.push(made) - 1;
		},
	});
	const { streams } = emscripten;
	streams[fd] = streams[fd].node.sock.stream = Object.assign(new FSStream(), streams[fd], { path: 'socket[0]' });
	const second = env.__syscall_dup(fd);
	assert.deepEqual([streams[second].fd, streams[second].node, streams[fd].path], [second, streams[fd].node, 'socket[0]']);
	assert.equal('fd' in FSStream.prototype, false);
	emscripten.close(fd);
	const third = env.__syscall_dup(second);
	emscripten.close(second);
	assert.deepEqual(socket.calls, []);
	emscripten.close(third);
	assert.deepEqual(socket.calls, ['close']);
});

test('an interrupt leaves poll as it came', () => {
	const connector = new FakeConnector(true);
	connector.meanwhile = [() => {
		throw Infinity;
	}];
	assert.throws(() => waitFor(() => 0, -1, connector), (error) => error === Infinity);
});
