import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter } from '../../src/blocking/worker.js';

/** For workers that the worker starts, of which there are none here. */
const NESTING = { prelude: '', leave: () => null };

/** A classic worker's global object. @param {string} [above] */
function makeScope(above = '') {
	/** @type {any[]} */
	const posted = [];
	/** @type {unknown[]} */
	const started = [];
	/** @type {((event: any) => void)[]} */
	const listeners = [];
	const scope = /** @type {any} */ ({
		name: `mine\n${above}https://site.test/w.js`,
		addEventListener: (/** @type {string} */ _, /** @type {any} */ listener) => void listeners.push(listener),
		close: () => void posted.push({ sockmux: { op: 'the native close()' } }),
		postMessage: (/** @type {any} */ message) => void posted.push(message),
		importScripts: () => {},
		eval: () => 0,
		removeEventListener: () => {},
		XMLHttpRequest: class {
			open() {}

			send() {}
		},
		WebAssembly: { instantiate: async (/** @type {unknown} */ _, /** @type {any} */ imports) => {
			started.push(imports);
			return { exports: {} };
		} },
	});
	return { scope, posted, started, listeners };
}

const program = () => ({ env: { __syscall_connect: () => 0 } });

test('a worker without a program says nothing, and has its own name and location', async () => {
	const { scope, posted, started } = makeScope();
	enter(scope, NESTING);
	await scope.WebAssembly.instantiate(null, { env: {} });
	assert.deepEqual([scope.name, scope.location.href, posted.length, started.length], ['mine', 'https://site.test/w.js', 0, 1]);
});

test('a program with sockets makes the layer known once, and has its calls replaced', async () => {
	const { scope, posted, started } = makeScope();
	enter(scope, NESTING);
	const imports = program();
	const before = imports.env.__syscall_connect;
	await scope.WebAssembly.instantiate(null, imports);
	await scope.WebAssembly.instantiate(null, program());
	assert.deepEqual(posted.map(({ sockmux }) => sockmux.op), ['hello']);
	assert.notEqual(imports.env.__syscall_connect, before);
	assert.equal(started.length, 2);
});

test('a worker with a sockmux of its own is left to that', async () => {
	const { scope, posted } = makeScope();
	enter(scope, NESTING);
	scope.sockmux = { [Symbol.for('sockmux.installed')]: true };
	const imports = program();
	const before = imports.env.__syscall_connect;
	await scope.WebAssembly.instantiate(null, imports);
	assert.equal(imports.env.__syscall_connect, before);
	assert.deepEqual(posted, []);
});

test('the page hears of a worker\'s close() if it knows of the worker', async () => {
	for (const [imports, told] of /** @type {const} */ ([[{ env: {} }, ['the native close()']], [program(), ['hello', 'closed', 'the native close()']]])) {
		const { scope, posted } = makeScope();
		enter(scope, NESTING);
		await scope.WebAssembly.instantiate(null, imports);
		scope.close();
		assert.deepEqual(posted.map(({ sockmux }) => sockmux.op), told);
	}
});

test('a program in a nested worker waits for the port, and then speaks through it', async () => {
	const { scope, posted, started, listeners } = makeScope('nested ');
	enter(scope, NESTING);
	const instantiated = scope.WebAssembly.instantiate(null, program());
	assert.equal(started.length, 0);
	const { port1, port2 } = new MessageChannel();
	listeners[0]({ data: { sockmux: { port: port1 } }, stopImmediatePropagation() {} });
	await instantiated;
	assert.equal(started.length, 1);
	const op = await new Promise((resolve) => {
		port2.onmessage = ({ data }) => resolve(data.sockmux.op);
	});
	port2.close();
	assert.deepEqual([op, posted, scope.location.href], ['hello', [], 'https://site.test/w.js']);
});
