// epoll_wait() in a thread that may block, over calls that stand for Emscripten's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchBlocking } from '../../src/sockfs/calls/blocking.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const ADD = 1;
const DELETE = 2;

/** A program with a connected socket whose events are seen when they are told. */
function start() {
	const emscripten = new FakeEmscripten();
	const connector = Object.assign(new FakeConnector(true), { told: 0, tellEvents: () => void connector.told++ });
	const { program } = emscripten;
	patchOps(program, connector);
	const sock = emscripten.socket();
	emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80));
	let next = 20;
	/** @type {any[][]} */
	const waits = [];
	/** Of the attempts to come. @type {number[]} */
	const results = [];
	/** @type {Record<string, any>} */
	const env = {
		__syscall_epoll_create1: () => next++,
		__syscall_epoll_ctl: () => 0,
		__syscall_epoll_pwait: (/** @type {any[]} */ ...args) => {
			waits.push(args);
			return results.shift() ?? 0;
		},
		__syscall_epoll_pwait_nonblocking: () => 0,
	};
	patchBlocking(new Map(Object.keys(env).map((name) => [name, { module: env, key: name }])), program, connector, {});
	return { connector, env, waits, results, fd: sock.stream.fd };
}

test('it is made again until there are events, which are told before', () => {
	const { connector, env, waits, results, fd } = start();
	const epoll = env.__syscall_epoll_create1(0);
	env.__syscall_epoll_ctl(epoll, ADD, fd, 400);
	results.push(0, 0, 2);
	connector.meanwhile.push(() => {}, () => {});
	assert.equal(env.__syscall_epoll_pwait(epoll, 400, 8, -1, 0, 8), 2);
	assert.deepEqual(waits, Array(3).fill([epoll, 400, 8, 0, 0, 8]));
	assert.equal(connector.told, 3);
});

test('its time ends it', () => {
	const { connector, env, waits, fd } = start();
	const epoll = env.__syscall_epoll_create1(0);
	env.__syscall_epoll_ctl(epoll, ADD, fd, 400);
	const until = performance.now() + 5;
	const pass = () => {
		while (performance.now() < until);
	};
	connector.meanwhile.push(pass);
	assert.equal(env.__syscall_epoll_pwait(epoll, 400, 8, 5, 0, 8), 0);
	assert.equal(waits.length, 2);
	assert.equal(env.__syscall_epoll_pwait(epoll, 400, 8, 0, 0, 8), 0);
	assert.equal(env.__syscall_epoll_pwait_nonblocking(epoll, 400, 8), 0);
	assert.equal(connector.told, 4, 'a call that does not wait is told of events too');
});

test('an epoll within an epoll counts', () => {
	const { connector, env, results, waits, fd } = start();
	connector.meanwhile.push(() => {});
	const inner = env.__syscall_epoll_create1(0);
	const outer = env.__syscall_epoll_create1(0);
	env.__syscall_epoll_ctl(inner, ADD, fd, 400);
	env.__syscall_epoll_ctl(outer, ADD, inner, 400);
	results.push(0, 1);
	assert.equal(env.__syscall_epoll_pwait(outer, 400, 8, -1, 0, 8), 1);
	assert.equal(waits.length, 2);
});

test('without a socket of ours it is as before', () => {
	const { env, waits, fd } = start();
	const epoll = env.__syscall_epoll_create1(0);
	env.__syscall_epoll_ctl(epoll, ADD, fd, 400);
	env.__syscall_epoll_ctl(epoll, DELETE, fd, 0);
	env.__syscall_epoll_ctl(epoll, ADD, 3, 400);
	assert.equal(env.__syscall_epoll_pwait(epoll, 400, 8, -1, 0, 8), 0);
	env.__syscall_epoll_pwait(99, 400, 8, -1, 0, 8);
	assert.deepEqual(waits, [[epoll, 400, 8, -1, 0, 8], [99, 400, 8, -1, 0, 8]]);
});
