import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { patchBound } from '../../src/webr/bound.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

/**
 * R.js as far as these calls go: a classic script, whose functions are bound before the
 * layer comes.
 */
const SCRIPT = `
	var getSocketFromFD = (fd) => {
		var stream = FS.getStream(fd);
		if (!stream) throw new FS.ErrnoError(8);
		return stream.node.sock;
	};
	function ___syscall_poll(fds, nfds, timeout) {
		var count = 0;
		for (var i = 0; i < nfds; i++) {
			var stream = FS.getStream(heap[2 * i + fds / 4]);
			var events = heap[2 * i + 1 + fds / 4] << 16 >> 16;
			var flags = stream ? (stream.node.sock.sock_ops.poll(stream.node.sock) & (events | 24)) : 32;
			if (flags) count++;
		}
		return count;
	}
	function ___syscall_shutdown(fd, how) {
		try {
			getSocketFromFD(fd);
			return -52;
		} catch (e) {
			if (e.name !== 'ErrnoError') throw e;
			return -e.errno;
		}
	}
	bound = { poll: ___syscall_poll, shutdown: ___syscall_shutdown };
`;

function start() {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(true);
	/** @type {any} */
	const scope = vm.createContext({ FS: emscripten.FS, heap: emscripten.heap, bound: null });
	vm.runInContext(SCRIPT, scope);
	patchOps(emscripten.program, connector, { unasked: false });
	patchBound(scope, emscripten.program, connector);
	const socks = [emscripten.socket(), emscripten.socket(), emscripten.socket()];
	for (const sock of socks.slice(1)) emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80));
	for (const socket of connector.sockets) socket.state = 'open';
	return { emscripten, connector, bound: scope.bound, fds: socks.map((sock) => sock.stream.fd) };
}

/** @param {FakeEmscripten} emscripten @param {number[]} fds @param {number} [events] */
function ask({ heap }, fds, events = 1) {
	fds.forEach((fd, i) => {
		heap[2 * i] = fd;
		heap[2 * i + 1] = events;
	});
}

test('poll waits for any of the sockets, and once', () => {
	const { emscripten, connector, bound, fds } = start();
	ask(emscripten, [fds[1], fds[2]]);
	connector.meanwhile = [() => {}, () => void (connector.sockets[1].incoming = Buffer.from('x'))];
	assert.equal(bound.poll(0, 2, -1), 1);
	assert.equal(connector.waits.length, 2);
});

test('poll waits also where the first descriptor is none of ours', () => {
	const { emscripten, connector, bound, fds } = start();
	ask(emscripten, [fds[0], fds[1]]);
	emscripten.heap[1] = 2; // POLLPRI: never ready
	connector.meanwhile = [() => void (connector.sockets[0].incoming = Buffer.from('x'))];
	assert.equal(bound.poll(0, 2, 1000), 1);
	assert.equal(connector.waits.length, 1);
});

test('poll does not wait without time or when something is ready', () => {
	const { emscripten, connector, bound, fds } = start();
	ask(emscripten, [fds[1]]);
	assert.equal(bound.poll(0, 1, 0), 0);
	ask(emscripten, [99, fds[1]]);
	assert.equal(bound.poll(0, 2, 1000), 1, 'a descriptor that is closed is ready: POLLNVAL');
	ask(emscripten, [fds[1]], 4);
	assert.equal(bound.poll(0, 1, 1000), 1);
	assert.deepEqual(connector.waits, []);
});

test('shutdown works through a system call that knows nothing of it', () => {
	const { connector, bound, fds } = start();
	assert.equal(Math.abs(bound.shutdown(fds[1], 1)), 0);
	assert.deepEqual(connector.sockets[0].calls, ['shutdown 1']);
	assert.equal(bound.shutdown(fds[1], 9), -ERRNO.EINVAL);
	assert.equal(bound.shutdown(fds[0], 1), -52, 'not ours: as before');
	assert.equal(bound.shutdown(99, 1), -8);
});

test('a program without these calls is left as it is', () => {
	const emscripten = new FakeEmscripten();
	const { poll } = emscripten.ops;
	patchBound({ FS: emscripten.FS }, emscripten.program, new FakeConnector(true));
	assert.equal(emscripten.ops.poll, poll);
});
