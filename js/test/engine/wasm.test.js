import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programFrom } from '../../src/engine/program.js';
import { compileWasm } from '../../src/engine/wasm.js';
import { once } from '../../src/entry/parts.js';

/** The smallest module: magic and version. */
const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

class FakeGo {
	static scope = {};
	importObject = { gojs: {} };
	_scheduledTimeouts = new Map();
	exit = () => {};
	ran = 0;
	resumed = 0;

	async run() {
		this.ran++;
	}

	_resume() {
		this.resumed++;
	}
}

/**
 * @param {import('node:test').TestContext} t
 * @param {(url: string, init: any) => Promise<Response>} answer
 */
function mockFetch(t, answer) {
	return t.mock.method(globalThis, 'fetch', /** @type {any} */ (answer));
}

/** @param {string} type */
const wasmAnswer = (type) => async () => new Response(EMPTY_WASM, { headers: { 'Content-Type': type } });

for (const type of ['application/wasm', 'application/octet-stream']) {
	test(`a wasm of type ${type} is compiled once and instantiated each time`, async (t) => {
		const fetched = mockFetch(t, wasmAnswer(type));
		/** @type {FakeGo[]} */
		const made = [];
		const Go = class extends FakeGo {
			constructor() {
				super();
				made.push(this);
			}
		};
		const wasm = once(() => compileWasm({ url: 'https://h/w.wasm', integrity: 'sha384-x' }));
		const onexit = () => {};
		const program = await programFrom(await wasm(), Go)(/** @type {any} */ ({}), onexit);
		await programFrom(await wasm(), Go)(/** @type {any} */ ({}), onexit);
		assert.equal(fetched.mock.callCount(), 1);
		assert.deepEqual(fetched.mock.calls[0].arguments, ['https://h/w.wasm', { integrity: 'sha384-x' }]);
		assert.equal(made.length, 2);
		assert.equal(made[0].exit, onexit);
		program.run();
		program.resume();
		assert.deepEqual([made[0].ran, made[0].resumed], [1, 1]);
	});
}

test('a wasm that is not there is named, and asked for again the next time', async (t) => {
	const fetched = mockFetch(t, async () => new Response('', { status: 404 }));
	const wasm = once(() => compileWasm({ url: 'https://h/w.wasm' }));
	await assert.rejects(wasm(), { message: 'https://h/w.wasm: the server answered 404' });
	await assert.rejects(wasm(), { message: 'https://h/w.wasm: the server answered 404' });
	assert.equal(fetched.mock.callCount(), 2);
});

test('what is no wasm, as a page in its place, is named', async (t) => {
	mockFetch(t, async () => new Response('<!doctype html>'));
	await assert.rejects(compileWasm({ url: 'https://h/w.wasm' }), { message: /^https:\/\/h\/w\.wasm: .*3c 21/ });
});

test('a browser without compileStreaming compiles the whole file', async (t) => {
	mockFetch(t, wasmAnswer('application/wasm'));
	const streaming = WebAssembly.compileStreaming;
	/** @type {any} */ (WebAssembly).compileStreaming = undefined;
	t.after(() => void (WebAssembly.compileStreaming = streaming));
	assert.ok(await compileWasm({ url: 'https://h/w.wasm' }) instanceof WebAssembly.Module);
});

test('a program that is stopped has no timer', async () => {
	/** @type {FakeGo | undefined} */
	let go;
	const Go = class extends FakeGo {
		constructor() {
			super();
			go = this;
		}
	};
	const program = await programFrom(new WebAssembly.Module(EMPTY_WASM), Go)(/** @type {any} */ ({}), () => {});
	const timer = setTimeout(() => {}, 1e6);
	go?._scheduledTimeouts.set(1, timer);
	program.stop();
	assert.equal(timer.hasRef() && /** @type {any} */ (timer)._destroyed, true);
});
