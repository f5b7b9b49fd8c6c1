import assert from 'node:assert/strict';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { probe, socketOf, wasmOf } from '../../src/engine/node.js';

/** The smallest module: magic and version. */
const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

test('the wasm is read from a path, a URL of a file and a server, once; after a failure again', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-node-'));
	t.after(() => rm(folder, { recursive: true }));
	const path = join(folder, 'sockmux.wasm');
	const late = wasmOf(path);
	await assert.rejects(late(), (/** @type {Error} */ { message }) => message.startsWith(`${path}: ENOENT`));
	await writeFile(path, '<!doctype html>');
	await assert.rejects(late(), (/** @type {Error} */ { message }) => message.startsWith(`${path}: WebAssembly.compile()`));
	await writeFile(path, EMPTY_WASM);
	const fetched = t.mock.method(globalThis, 'fetch', /** @type {any} */ (async () => new Response(EMPTY_WASM)));
	for (const wasm of [late, wasmOf(pathToFileURL(path)), wasmOf(pathToFileURL(path).href), wasmOf('https://h/sockmux.wasm')]) {
		const module = await wasm();
		assert.ok(module instanceof WebAssembly.Module);
		assert.equal(await wasm(), module);
	}
	assert.equal(fetched.mock.callCount(), 1);
	fetched.mock.mockImplementation(/** @type {any} */ (async () => new Response('', { status: 404 })));
	await assert.rejects(wasmOf('https://h/sockmux.wasm')(), { message: 'https://h/sockmux.wasm: the server answered 404' });
});

test('a socket copies what it sends, and takes errors', () => {
	class Given {
		/** @type {Uint8Array[]} */
		sent = [];
		onerror = null;

		/** @param {string} url @param {string} protocols */
		constructor(url, protocols) {
			this.made = [url, protocols];
		}

		/** @param {Uint8Array} data */
		send(data) {
			this.sent.push(data);
		}
	}
	const Native = /** @type {any} */ (socketOf(/** @type {any} */ (Given)));
	const socket = new Native('wss://h/v1/connect', 'sockmux.v1');
	const memory = new Uint8Array([1, 2, 3, 4]);
	socket.send(memory.subarray(1, 3));
	memory.fill(9);
	assert.deepEqual(socket.made, ['wss://h/v1/connect', 'sockmux.v1']);
	assert.deepEqual([...socket.sent[0]], [2, 3]);
	assert.equal(typeof socket.onerror, 'function');
});

test('why a dial failed is what Node says', async (t) => {
	t.mock.method(globalThis, 'fetch', /** @type {any} */ (async () => {
		throw Object.assign(new TypeError('fetch failed'), { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
	}));
	assert.equal(await probe('ws://127.0.0.1:1/v1/connect', 'abc'), 'http://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1');
});
