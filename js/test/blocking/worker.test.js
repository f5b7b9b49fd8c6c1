import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter } from '../../src/blocking/worker.js';

/** A classic worker's global object. */
function makeScope() {
	/** @type {any[]} */
	const posted = [];
	/** @type {unknown[]} */
	const started = [];
	const scope = /** @type {any} */ ({
		name: 'mine\nhttps://site.test/w.js',
		postMessage: (/** @type {any} */ message) => void posted.push(message),
		importScripts: () => {},
		eval: () => 0,
		XMLHttpRequest: class {
			open() {}

			send() {}
		},
		WebAssembly: { instantiate: async (/** @type {unknown} */ _, /** @type {any} */ imports) => {
			started.push(imports);
			return { exports: {} };
		} },
	});
	return { scope, posted, started };
}

const program = () => ({ env: { __syscall_connect: () => 0 } });

test('a worker without a program says nothing, and has its own name and location', async () => {
	const { scope, posted, started } = makeScope();
	enter(scope);
	await scope.WebAssembly.instantiate(null, { env: {} });
	assert.deepEqual([scope.name, scope.location.href, posted.length, started.length], ['mine', 'https://site.test/w.js', 0, 1]);
});

test('a program with sockets makes the layer known once, and has its calls replaced', async () => {
	const { scope, posted, started } = makeScope();
	enter(scope);
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
	enter(scope);
	scope.sockmux = { [Symbol.for('sockmux.installed')]: true };
	const imports = program();
	const before = imports.env.__syscall_connect;
	await scope.WebAssembly.instantiate(null, imports);
	assert.equal(imports.env.__syscall_connect, before);
	assert.deepEqual(posted, []);
});
