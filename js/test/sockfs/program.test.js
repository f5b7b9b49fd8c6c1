import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { onInstantiate } from '../../src/sockfs/program/instantiate.js';
import { globalProgram, globalProgramOf, hiddenProgram } from '../../src/sockfs/program/program.js';
import { FakeEmscripten } from '../fakes/emscripten.js';

// (module (memory (export "m") 1)) and (module (import "e" "memory" (memory 1)))
const EXPORTS_MEMORY = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, 0]);
const IMPORTS_MEMORY = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 2, 13, 1, 1, 101, 6, 109, 101, 109, 111, 114, 121, 2, 0, 1]);

/** A scope with a WebAssembly of its own. @returns {any} */
const makeScope = () => ({ WebAssembly: { instantiate: WebAssembly.instantiate, instantiateStreaming: async (/** @type {any} */ source, /** @type {any} */ imports) => WebAssembly.instantiate(await source, imports) } });

/** Named as Emscripten's library names it. */
function ___syscall_connect() {
	return 0;
}

describe('instantiation', () => {
	test('shows the system calls by the names of C, also in a build with short import names', async () => {
		const scope = makeScope();
		/** @type {any[]} */
		const found = [];
		onInstantiate(scope, (instance) => found.push(instance));
		await scope.WebAssembly.instantiate(EXPORTS_MEMORY, { a: { b: ___syscall_connect, c: () => 1 } });
		await scope.WebAssembly.instantiateStreaming(Promise.resolve(EXPORTS_MEMORY), { env: { __syscall_connect: () => 0, __syscall_poll: () => 0, other: 1 } });
		assert.deepEqual([...found[0].calls.keys()], ['__syscall_connect']);
		assert.equal(found[0].calls.get('__syscall_connect').key, 'b');
		assert.deepEqual([...found[1].calls.keys()], ['__syscall_connect', '__syscall_poll']);
	});

	test('gives the memory, whether it is exported or imported, and follows its growth', async () => {
		const scope = makeScope();
		/** @type {any[]} */
		const found = [];
		onInstantiate(scope, (instance) => found.push(instance));
		const { instance } = await scope.WebAssembly.instantiate(EXPORTS_MEMORY, { env: { ___syscall_connect } });
		assert.equal(found[0].heap32().buffer, instance.exports.m.buffer);
		instance.exports.m.grow(1);
		assert.equal(found[0].heap32().buffer, instance.exports.m.buffer);
		const memory = new WebAssembly.Memory({ initial: 1 });
		const module = new WebAssembly.Module(IMPORTS_MEMORY);
		assert.ok(await scope.WebAssembly.instantiate(module, { e: { memory, ___syscall_connect } }) instanceof WebAssembly.Instance);
		assert.equal(found[1].heap32().buffer, memory.buffer);
	});

	test('programs without sockets, without imports or with invented ones pass untouched', async () => {
		const scope = makeScope();
		onInstantiate(scope, () => assert.fail('found something'));
		const greedy = new Proxy(new Set(), { get: () => () => 0 });
		for (const imports of [undefined, {}, { env: { poll: () => 0 } }, { 'GOT.mem': greedy }]) await scope.WebAssembly.instantiate(EXPORTS_MEMORY, imports);
	});

	test('no entry is made in the offset tables of dynamic linking, nor in any other proxy', async () => {
		const scope = makeScope();
		const env = { ___syscall_connect, __asyncjs__js_module_onMessage: () => 0 };
		/** @type {PropertyKey[]} */
		const made = [];
		const inventing = () => new Proxy(env, {
			get(target, key) {
				made.push(key);
				return Reflect.get(target, key);
			},
		});
		/** @type {any[]} */
		const found = [];
		onInstantiate(scope, (instance) => found.push(instance));
		const imports = { 'GOT.mem': inventing(), 'GOT.func': inventing(), env, other: inventing() };
		await scope.WebAssembly.instantiate(EXPORTS_MEMORY, imports);
		assert.deepEqual(made, []);
		assert.equal(found[0].calls.get('__syscall_connect').module, env);
	});

	test('what fails fails as before, and stop() puts everything back', async () => {
		const scope = makeScope();
		const before = { ...scope.WebAssembly };
		const stop = onInstantiate(scope, () => {});
		await assert.rejects(scope.WebAssembly.instantiate(new Uint8Array(3), { env: { ___syscall_connect } }), WebAssembly.CompileError);
		stop();
		assert.deepEqual(scope.WebAssembly, before);
	});
});

/** @param {FakeEmscripten} emscripten @returns {any} */
const instanceOf = (emscripten, env = { ___syscall_connect, ___syscall_socket: () => emscripten.socket().stream.fd }) => ({
	calls: new Map(Object.keys(env).map((key) => [key.slice(1), { module: env, key }])),
	heap32: () => emscripten.heap,
});

describe('a classic script', () => {
	test('has its parts in the scope', () => {
		const emscripten = new FakeEmscripten();
		const { SOCKFS, FS } = emscripten;
		const program = globalProgram({ SOCKFS, FS }, () => emscripten.heap);
		assert.equal(program?.ops, emscripten.ops);
		const sock = emscripten.socket();
		assert.equal(program?.sockOf(sock.stream.fd), sock);
		assert.equal(program?.sockOf(99), null);
		program?.emit?.('open', 3);
		assert.deepEqual(emscripten.emitted, [['open', 3]]);
	});

	test('of older releases has its callbacks in Module', () => {
		const { SOCKFS, FS } = new FakeEmscripten();
		/** @type {unknown[]} */
		const told = [];
		const Module = { websocket: { emit: (/** @type {unknown[]} */ ...args) => told.push(args) } };
		globalProgram({ SOCKFS: { ...SOCKFS, emit: undefined }, FS, Module }, () => new Int32Array(1))?.emit?.('close', 4);
		assert.deepEqual(told, [['close', 4]]);
	});

	test('counts only for the instance that it belongs to', () => {
		const emscripten = new FakeEmscripten();
		const { SOCKFS, FS } = emscripten;
		assert.ok(globalProgramOf({ SOCKFS, FS, ___syscall_connect }, instanceOf(emscripten)));
		assert.equal(globalProgramOf({ SOCKFS, FS, ___syscall_connect: () => 0 }, instanceOf(emscripten)), null);
		assert.equal(globalProgramOf({ ___syscall_connect }, instanceOf(emscripten)), null);
	});

	test('without an operation that the layer needs is left alone', () => {
		const { SOCKFS, FS } = new FakeEmscripten();
		Reflect.deleteProperty(SOCKFS.websocket_sock_ops, 'recvmsg');
		assert.equal(globalProgram({ SOCKFS, FS }, () => new Int32Array(1)), null);
	});
});

describe('a module', () => {
	test('shows its parts with its first socket', () => {
		const emscripten = new FakeEmscripten();
		const instance = instanceOf(emscripten);
		/** @type {any[]} */
		const found = [];
		const program = hiddenProgram(instance, (seen) => found.push(seen));
		assert.equal(program.ops, undefined);
		const { module, key } = instance.calls.get('__syscall_socket');
		const first = module[key](2, 1, 0);
		const second = module[key](2, 1, 0);
		assert.deepEqual(found, [program]);
		assert.equal(program.ops, emscripten.ops);
		assert.equal(program.ErrnoError, emscripten.ErrnoError);
		assert.equal(program.sockOf(first), emscripten.streams[first].node.sock);
		assert.equal(program.sockOf(second), emscripten.streams[second].node.sock);
		assert.equal(program.sockOf(77), null);
		assert.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'sock'), undefined);
	});

	test('whose sockets are of another kind is left alone, and the call still works', () => {
		const emscripten = new FakeEmscripten();
		Reflect.deleteProperty(emscripten.ops, 'ioctl');
		const instance = instanceOf(emscripten);
		hiddenProgram(instance, () => assert.fail('found something'));
		const { module, key } = instance.calls.get('__syscall_socket');
		assert.equal(module[key](2, 1, 0), 0);
	});

	test('a failing socket() fails as before and leaves no trace', () => {
		const instance = instanceOf(new FakeEmscripten(), { ___syscall_connect, ___syscall_socket: () => -5 });
		hiddenProgram(instance, () => assert.fail('found something'));
		const { module, key } = instance.calls.get('__syscall_socket');
		assert.equal(module[key](10, 1, 0), -5);
		assert.equal('sock' in {}, false);
	});
});
