import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import * as ERRNO from '../../src/wire/generated/errno.js';
import { createHelper } from '../../src/sockfs/helper.js';
import { LocalConnector } from '../../src/sockfs/local.js';
import { installSockfsHook } from '../../src/sockfs/install.js';
import { FakeEmscripten } from '../fakes/emscripten.js';
import { FakeTunnel } from '../fakes/tunnel.js';

// (module (memory (export "m") 1))
const MODULE = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, 0]);

function start() {
	const tunnel = new FakeTunnel();
	const scope = /** @type {any} */ ({ WebAssembly: { instantiate: WebAssembly.instantiate } });
	/** @type {string[]} */
	const reports = [];
	const report = (/** @type {string} */ text) => void reports.push(text);
	const loadNow = mock.fn(() => createHelper({ connector: new LocalConnector((request, handlers) => tunnel.open(request, handlers), report), scope, report }));
	const load = mock.fn(async () => loadNow());
	const { remove: uninstall, made } = installSockfsHook({ load, loadNow, scope, report });
	return { tunnel, scope, reports, load, loadNow, made, uninstall };
}

/** @param {FakeEmscripten} emscripten */
const makeEnv = (emscripten) => ({
	___syscall_connect: () => 0,
	___syscall_socket: () => emscripten.socket().stream.fd,
	___syscall_shutdown: () => -ERRNO.ENOSYS,
});

/**
 * What a program does with its import: connect() and a word.
 * @param {FakeEmscripten} emscripten
 * @param {any} sock
 */
function talk(emscripten, sock) {
	assert.equal(emscripten.errno(() => emscripten.ops.connect(sock, 'a.test', 80)), ERRNO.EINPROGRESS);
	return emscripten.ops.sendmsg(sock, Buffer.from('word'), 0, 4);
}

test('a classic script\'s sockets become streams, its shutdown() works', async () => {
	const { tunnel, scope } = start();
	const emscripten = new FakeEmscripten();
	const env = makeEnv(emscripten);
	Object.assign(scope, { SOCKFS: emscripten.SOCKFS, FS: emscripten.FS, ___syscall_connect: env.___syscall_connect });
	await scope.WebAssembly.instantiate(MODULE, { env });
	const sock = emscripten.socket();
	assert.equal(talk(emscripten, sock), 4);
	assert.equal(tunnel.streams[0].text, 'word');
	tunnel.streams[0].open();
	const shutdown = /** @type {any} */ (env).___syscall_shutdown;
	assert.equal(shutdown(sock.stream.fd, 1), 0);
	assert.deepEqual(tunnel.streams[0].calls, ['closeWrite']);
	assert.equal(shutdown(emscripten.socket().stream.fd, 1), -ERRNO.ENOTCONN);
	assert.equal(shutdown(99, 1), -ERRNO.ENOSYS, 'no socket is the original\'s');
});

test('a module\'s sockets become streams from its first one on', async () => {
	const { tunnel, scope } = start();
	const emscripten = new FakeEmscripten();
	const env = makeEnv(emscripten);
	const { connect } = emscripten.ops;
	await scope.WebAssembly.instantiate(MODULE, { env });
	assert.equal(emscripten.ops.connect, connect);
	const fd = /** @type {any} */ (env).___syscall_socket(2, 1, 0);
	talk(emscripten, emscripten.streams[fd].node.sock);
	assert.equal(tunnel.streams[0].text, 'word');
	tunnel.streams[0].open();
	assert.equal(/** @type {any} */ (env).___syscall_shutdown(fd, 1), 0);
});

test('taken away, programs are as they were, those that make their first socket later too', async () => {
	const { tunnel, scope, uninstall } = start();
	const { instantiate } = WebAssembly;
	const [first, second] = [new FakeEmscripten(), new FakeEmscripten()];
	const env = makeEnv(first);
	const { poll } = first.ops;
	Object.assign(scope, { SOCKFS: first.SOCKFS, FS: first.FS, ___syscall_connect: env.___syscall_connect });
	await scope.WebAssembly.instantiate(MODULE, { env });
	talk(first, first.socket());
	const hidden = makeEnv(second);
	await scope.WebAssembly.instantiate(MODULE, { env: hidden });
	uninstall();
	assert.equal(scope.WebAssembly.instantiate, instantiate);
	assert.equal(first.ops.poll, poll);
	assert.deepEqual(tunnel.streams[0].calls, ['close']);
	const { connect } = second.ops;
	/** @type {any} */ (hidden).___syscall_socket(2, 1, 0);
	assert.equal(second.ops.connect, connect);
});

test('a scope without WebAssembly is no error', () => {
	assert.doesNotThrow(() => installSockfsHook({ load: () => assert.fail('loaded'), loadNow: () => assert.fail('loaded'), scope: {}, report: () => {} }).remove());
});

test('nothing is loaded for programs without sockets, and once for all others', async () => {
	const { scope, load } = start();
	await scope.WebAssembly.instantiate(MODULE, { env: {} });
	assert.equal(load.mock.callCount(), 0);
	await scope.WebAssembly.instantiate(MODULE, { env: makeEnv(new FakeEmscripten()) });
	await scope.WebAssembly.instantiate(MODULE, { env: makeEnv(new FakeEmscripten()) });
	assert.equal(load.mock.callCount(), 1);
});

test('a layer that cannot be loaded is reported, and the program runs without', async () => {
	const { scope, load, reports } = start();
	load.mock.mockImplementation(async () => {
		throw new Error('https://h/x.js could not be loaded');
	});
	const env = makeEnv(new FakeEmscripten());
	const before = { ...env };
	const { instance } = await scope.WebAssembly.instantiate(MODULE, { env });
	assert.ok(instance.exports.m);
	assert.deepEqual(env, before);
	assert.deepEqual(reports, ['an Emscripten program runs without sockmux\'s layer: https://h/x.js could not be loaded']);
});

test('a program that waits for the layer while it is taken away stays as it is', async () => {
	const { scope, uninstall } = start();
	const env = makeEnv(new FakeEmscripten());
	const before = { ...env };
	const starting = scope.WebAssembly.instantiate(MODULE, { env });
	uninstall();
	await starting;
	assert.deepEqual(env, before);
});

test('a poll() whose program waits by itself before it is left as it is', async () => {
	const { scope } = start();
	const emscripten = new FakeEmscripten();
	const ___syscall_poll = () => 0;
	const env = { ...makeEnv(emscripten), ___syscall_poll, __asyncjs__wasm_poll_socket: () => 0 };
	await scope.WebAssembly.instantiate(MODULE, { env });
	assert.equal(env.___syscall_poll, ___syscall_poll);
	const other = { ...makeEnv(emscripten), ___syscall_poll };
	await scope.WebAssembly.instantiate(MODULE, { env: other });
	assert.notEqual(other.___syscall_poll, ___syscall_poll);
});
