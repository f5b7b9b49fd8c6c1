import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, isSnapshot, restore, valuesOf } from '../../src/engine/restore.js';

const scope = { Object, Array, Uint8Array, process: {}, path: {}, fs: { constants: {} } };

test('the clock of a copy goes on where it stood in the snapshot', () => {
	const mem = new DataView(new ArrayBuffer(32));
	let elapsed = 0;
	const nanotime = clock(/** @type {any} */ ({ mem }), () => elapsed);
	nanotime(0);
	assert.equal(mem.getBigInt64(8, true), 1_000_000_000n);
	elapsed = 86_400_000.25;
	nanotime(16);
	assert.equal(mem.getBigInt64(24, true), 86_401_000_250_000n);
});

test('a program is a snapshot where it cannot be started and can draw its numbers anew', () => {
	const run = () => undefined;
	for (const [exports, is] of /** @type {const} */ ([[{ run }, false], [{ run, reseed: run }, false], [{ reseed: run }, true], [{}, false]])) {
		assert.equal(isSnapshot(/** @type {any} */ ({ exports })), is);
	}
});

test('restore gives the program its values, and has it draw its numbers anew', () => {
	/** @type {any} */
	const go = {};
	let values = -1;
	const instance = /** @type {any} */ ({ exports: { mem: { buffer: new ArrayBuffer(8) }, reseed: () => (values = go._values.length) } });
	restore(go, instance, scope);
	assert.equal(values, valuesOf(go, scope).length);
	assert.equal(go._ids.get(scope.fs.constants), go._values.indexOf(scope.fs.constants));
	assert.equal(go._inst, instance);
	assert.equal(go.mem.byteLength, 8);
	assert.equal(go.exited, false);
});
