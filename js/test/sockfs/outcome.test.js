import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { patchImports } from '../../src/sockfs/calls/syscalls.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

/**
 * A program that has a connect() of its own, as php-wasm has.
 * @param {(connect: () => void) => unknown} own
 * @param {{ nonblocking: boolean }} options
 */
function connectBy(own, { nonblocking }) {
	const emscripten = new FakeEmscripten();
	patchOps(emscripten.program, new FakeConnector(false));
	const sock = emscripten.socket({ nonblocking });
	const { connect } = emscripten.ops;
	const env = /** @type {any} */ ({ __syscall_connect: () => own(() => emscripten.ops.connect(sock, 'a.test', 80)) });
	patchImports(new Map([['__syscall_connect', { module: env, key: '__syscall_connect' }]]), emscripten.program, new FakeConnector(false));
	emscripten.heap[100] = 2;
	const result = env.__syscall_connect(sock.stream.fd, 400, 16);
	assert.equal(emscripten.ops.connect, connect);
	return result;
}

/** The JSPI build: a promise, for a wasm that does not wait for it. @param {() => void} connect */
async function promising(connect) {
	try {
		connect();
		return 0;
	} catch (error) {
		return -(/** @type {any} */ (error).errno);
	}
}

test('a connect() that gives a promise has the result of its operation', () => {
	assert.equal(connectBy(promising, { nonblocking: true }), -ERRNO.EINPROGRESS);
	assert.equal(connectBy(promising, { nonblocking: false }), 0);
});

test('an error that a connect() lets through is a result', () => {
	const asyncify = (/** @type {() => void} */ connect) => {
		connect();
		return 0;
	};
	assert.equal(connectBy(asyncify, { nonblocking: true }), -ERRNO.EINPROGRESS);
	assert.equal(connectBy(asyncify, { nonblocking: false }), 0);
});

test('a number stays as it is, and what is no error of a system call is thrown', () => {
	assert.equal(connectBy(() => -ERRNO.EBADF, { nonblocking: true }), -ERRNO.EBADF);
	assert.throws(() => connectBy(() => {
		throw new TypeError('broken');
	}, { nonblocking: true }), TypeError);
});
