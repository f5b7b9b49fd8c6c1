// Programs whose sockets live in callbacks of emscripten_set_socket_*_callback, in builds
// with global and with hidden parts: fixtures/emscripten/callbacks.c.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCases } from './harness/cases.js';

/** @type {[name: string, kind: import('./harness/builds.js').Build['kind'], title: string][]} */
const BUILDS = [
	['callbacks-modularize-6', 'modularize', '6.x, MODULARIZE'],
	['callbacks-es6-6', 'es6', '6.x, EXPORT_ES6'],
	['callbacks-3', 'classic', '3.1.6'],
	['callbacks-modularize-3', 'modularize', '3.1.6, MODULARIZE'],
];

/**
 * Connections go on side by side; each has its lines in this order.
 * @type {Record<string, string[]>}
 */
const EXPECTED = {
	echo: ['open with its data', 'sent 4', 'message with its data', 'ended'],
	hello: ['close with its data, 6 bytes', 'ended'],
	refused: ['ECONNREFUSED with its data', 'told why', 'ended'],
};

describe('emscripten_set_socket_*_callback', () => {
	/** @type {Awaited<ReturnType<typeof startCases>>} */
	let world;
	before(async () => {
		world = await startCases();
	});
	after(() => world?.stop());

	for (const [name, kind, title] of BUILDS) {
		test(title, async () => {
			const { results, all } = await world.runCase({ name, kind, title, program: 'loop' }, 'callbacks', 'sockmux');
			for (const [connection, lines] of Object.entries(EXPECTED)) {
				const printed = results.filter((line) => line.startsWith(`${connection}: `)).map((line) => line.slice(connection.length + 2));
				assert.deepEqual(printed, lines, all.join('\n'));
			}
			assert.equal(results.length, Object.values(EXPECTED).flat().length, results.join('\n'));
			assert.ok(all.includes('| END'));
		});
	}
});
