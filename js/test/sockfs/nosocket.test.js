import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { openTest, tellFilesApart } from '../../src/sockfs/calls/nosocket.js';

/** A program in which 1 is a file, and no other descriptor is open. @param {string[]} names */
function start(names) {
	const heap = new Int32Array(32).fill(7);
	const all = /** @type {Record<string, (...args: any[]) => number>} */ ({
		__syscall_connect: (fd) => (fd === 3 ? 0 : -ERRNO.EBADF),
		sockmux_shutdown: () => -ERRNO.EBADF,
		__syscall_recvfrom: () => -ERRNO.ENOTCONN,
		__syscall_fcntl64: (fd, command) => (assert.equal(command, 1), fd === 1 ? 0 : -ERRNO.EBADF),
		fd_write(fd, _at, count, out) {
			assert.equal(count, 0);
			if (fd !== 1) return ERRNO.EBADF;
			heap[out / 4] = 0;
			return 0;
		},
	});
	const env = Object.fromEntries(names.map((name) => [name, all[name]]));
	const calls = new Map(names.map((name) => [name, { module: env, key: name }]));
	tellFilesApart(calls, openTest(calls, () => heap));
	return { env, heap };
}

for (const means of ['__syscall_fcntl64', 'fd_write']) {
	test(`a file is no socket, and what is closed is no descriptor: by ${means}`, () => {
		const { env, heap } = start(['__syscall_connect', '__syscall_recvfrom', means]);
		assert.equal(env.__syscall_connect(1), -ERRNO.ENOTSOCK);
		assert.equal(env.__syscall_connect(2), -ERRNO.EBADF);
		assert.equal(env.__syscall_connect(-1), -ERRNO.EBADF);
		assert.equal(env.__syscall_connect(3), 0);
		assert.equal(env.__syscall_recvfrom(1), -ERRNO.ENOTCONN);
		assert.ok(heap.every((word) => word === 7), 'the memory is as it was');
	});
}

test('so it is with what a program has linked', () => {
	const { env } = start(['sockmux_shutdown', 'fd_write']);
	assert.deepEqual([env.sockmux_shutdown(1), env.sockmux_shutdown(2)], [-ERRNO.ENOTSOCK, -ERRNO.EBADF]);
});

test('a program without such a call keeps its answers', () => {
	assert.equal(start(['__syscall_connect']).env.__syscall_connect(1), -ERRNO.EBADF);
});
