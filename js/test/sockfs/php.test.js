import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { patchPHP } from '../../src/sockfs/calls/php.js';
import { F_GETFL, F_SETFL, O_NONBLOCK, POLL } from '../../src/sockfs/flags.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const AT = 64;

/** A program with such imports, and what its own calls are given. @param {string} poll @param {boolean} [canWait] */
function start(poll, canWait = false) {
	const emscripten = new FakeEmscripten();
	const connector = new FakeConnector(canWait);
	/** @type {any[][]} */
	const own = [];
	class Suspending {
		constructor(/** @type {Function} */ call) {
			this.call = call;
		}
	}
	/** Links wasm to what a Suspending stands for, which Node does not know. */
	class Instance extends WebAssembly.Instance {
		/** @param {WebAssembly.Module} module @param {any} imports */
		constructor(module, { a }) {
			super(module, { a: { ...a, fcntl: a.fcntl.call } });
		}
	}
	const env = /** @type {Record<string, any>} */ ({
		[poll]: (/** @type {any[]} */ ...args) => own.push(args),
		__syscall_fcntl64: new Suspending((/** @type {any[]} */ ...args) => own.push(args)),
	});
	const calls = new Map([['__syscall_poll', { module: env, key: '__syscall_poll' }]]);
	const scope = { WebAssembly: { Suspending, Instance, Module: WebAssembly.Module } };
	patchPHP(scope, /** @type {any} */ ({ imports: { env }, calls }), () => emscripten.program, connector);
	return { emscripten, connector, env, calls, own, sock: emscripten.socket() };
}

describe('the build for JSPI', () => {
	test('takes flags back by fcntl(), and keeps its own for the rest', () => {
		const { emscripten, env, own, sock } = start('__asyncjs__wasm_poll_socket');
		const { fd } = sock.stream;
		emscripten.heap[AT / 4] = 2;
		assert.equal(env.__syscall_fcntl64(fd, F_SETFL, AT), 0);
		assert.equal(sock.stream.flags & O_NONBLOCK, 0);
		assert.deepEqual(own, []);
		env.__syscall_fcntl64(fd, F_GETFL, AT);
		env.__syscall_fcntl64(99, F_SETFL, AT);
		assert.deepEqual(own, [[fd, F_GETFL, AT], [99, F_SETFL, AT]]);
	});

	test('has waited before poll(), which is left alone', () => {
		assert.equal(start('__asyncjs__wasm_poll_socket').calls.size, 0);
		assert.equal(start('another').calls.size, 1);
	});
});

describe('the build for ASYNCIFY', () => {
	/** @param {boolean} [canWait] */
	const listening = (canWait) => {
		const parts = start('wasm_poll_socket', canWait);
		const { emscripten, env, sock } = parts;
		sock.server = {};
		let ready = 0;
		emscripten.ops.poll = () => ready;
		return { ...parts, poll: env.wasm_poll_socket, come: () => void (ready = POLL.IN) };
	};

	test('does not sleep for a listener, where it cannot be unwound', () => {
		const { poll, sock, own, come } = listening();
		assert.equal(poll(sock.stream.fd, POLL.IN, 1000), 0);
		come();
		assert.equal(poll(sock.stream.fd, POLL.IN, 1000), 1);
		assert.deepEqual(own, []);
	});

	test('sleeps for stream_select(), and for connections', () => {
		const { emscripten, poll, sock, own } = listening();
		const other = emscripten.socket();
		poll(sock.stream.fd, POLL.IN | POLL.OUT, 1000);
		poll(other.stream.fd, POLL.IN, 1000);
		assert.deepEqual(own, [[sock.stream.fd, POLL.IN | POLL.OUT, 1000], [other.stream.fd, POLL.IN, 1000]]);
	});

	test('waits for a listener in a thread that may block', () => {
		const { connector, poll, sock, come } = listening(true);
		connector.meanwhile = [() => {}, come];
		assert.equal(poll(sock.stream.fd, POLL.IN, 1000), 1);
		assert.equal(connector.waits.length, 2);
	});
});
