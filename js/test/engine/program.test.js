import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programFrom } from '../../src/engine/program.js';

const MODULE = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));

test('a page that has replaced WebAssembly keeps its own, and the program gets the browser\'s', async (t) => {
	const native = globalThis.WebAssembly;
	const own = /** @type {any} */ ({ instantiate: () => assert.fail('the page\'s own was called') });
	/** @type {unknown[]} */
	const ran = [];
	class Go {
		static scope = {};
		exit = () => undefined;
		importObject = { gojs: {} };
		_resume() {}

		/** @param {any} instance */
		async run(instance) {
			ran.push(instance instanceof WebAssembly.Instance);
		}
	}
	t.after(() => {
		globalThis.WebAssembly = native;
	});
	const start = programFrom(MODULE, /** @type {any} */ (Go), native);
	globalThis.WebAssembly = own;
	const program = await start(/** @type {any} */ ({}), () => undefined);
	program.run();
	assert.deepEqual(ran, [true]);
	assert.equal(globalThis.WebAssembly, own);
});
