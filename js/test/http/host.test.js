import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../../src/http/host.js';
import { settled } from '../fakes/tunnel.js';

/** The host of a program that the test plays. */
function make() {
	/** @type {any[]} */
	const out = [];
	const mem = { buffer: new ArrayBuffer(1000) };
	/** @type {any[]} */
	const delivered = [];
	/** @type {any} */
	const made = {};
	/** @type {any} */
	const port = { postMessage: (/** @type {any} */ data) => void out.push(data), onmessage: null };
	const program = /** @type {any} */ (() => async (/** @type {any} */ { tell }, /** @type {any} */ onexit) => {
		Object.assign(made, { tell, onexit, resume: () => made.run?.() });
		return {
			exports: {
				mem, buffer: () => 500,
				deliver(/** @type {number} */ kind, /** @type {number} */ id, /** @type {number} */ number, /** @type {number} */ length) {
					if (kind === 99) throw new Error('unreachable');
					delivered.push([kind, id, number, Buffer.from(mem.buffer, 500, length).toString()]);
				},
			},
			run() {}, resume: () => made.resume(), stop() {},
		};
	});
	serve({ port, Go: /** @type {any} */ (null), program });
	return { out, mem, delivered, made, send: (/** @type {any} */ data) => port.onmessage({ data }) };
}

test('messages go in and out, those of one turn together', async () => {
	const { out, mem, delivered, made, send } = make();
	send({ module: {} });
	await settled();
	assert.deepEqual(out.splice(0), [{ ready: true }]);
	made.run = () => {
		new Uint8Array(mem.buffer, 10).set([7, 8, 9]);
		made.tell(1, 2, 3, 10, 3);
		made.tell(4, 5, 6, 0, 0);
	};
	send({ messages: [[1, 2, 3, Buffer.from('abc')], [5, 6, 7, null]] });
	assert.deepEqual(delivered, [[1, 2, 3, 'abc'], [5, 6, 7, '']]);
	assert.deepEqual(out, []);
	await settled();
	assert.deepEqual(out, [{ messages: [[1, 2, 3, new Uint8Array([7, 8, 9])], [4, 5, 6, null]] }]);
});

test('a program that ends or throws is a failure', async () => {
	for (const fail of [(/** @type {any} */ { made }) => made.onexit(2), (/** @type {any} */ { send }) => send({ messages: [[99, 0, 0, null]] })]) {
		const host = make();
		host.send({ module: {} });
		await settled();
		fail(host);
		assert.match(host.out[1].failed, /the program ended with code 2|unreachable/);
		host.send({ messages: [[1, 2, 3, null]] });
		assert.equal(host.delivered.length, 0);
	}
});
