import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/api/config.js';
import { builtFiles } from '../../src/entry/npm-files.js';
import { FILES } from '../../src/entry/build.js';
import { install as installModule } from '../../src/entry/module.js';
import { install as installPackage } from '../../src/entry/npm.js';
import { start } from '../../src/entry/start.js';

const PLACE = { script: 'https://h/sockmux.js', pinned: false, load: () => async () => undefined };

/**
 * Gives the global object what a worker has.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, unknown>} names
 */
function place(t, names) {
	const scope = /** @type {any} */ (globalThis);
	for (const [name, value] of Object.entries(names)) {
		const before = Object.getOwnPropertyDescriptor(scope, name);
		Object.defineProperty(scope, name, { value, configurable: true, writable: true });
		t.after(() => (before ? Object.defineProperty(scope, name, before) : delete scope[name]));
	}
}

const WORKER = { location: new URL('https://p/worker.js'), WebSocket: class {}, Worker: undefined };

for (const name of ['location', 'WebSocket', 'WebAssembly']) {
	test(`a place without ${name} is told so`, (t) => {
		place(t, { ...WORKER, [name]: undefined });
		assert.throws(() => start({}, PLACE), (error) => error instanceof ConfigError && error.message === `this place has no ${name}; Node needs the npm package`);
	});
}

test('a place that starts no workers has no tunnel in a worker', (t) => {
	place(t, WORKER);
	assert.throws(() => start({ worker: true }, PLACE), { message: /^this place has no Worker/ });
});

for (const [name, install] of Object.entries({ 'sockmux.mjs': installModule, 'the npm package': installPackage })) {
	test(`a service worker is told by ${name} what to import`, (t) => {
		place(t, { ...WORKER, skipWaiting: () => {} });
		assert.throws(() => install({ url: 'https://h/' }), (error) => error instanceof ConfigError && error.message.includes('import "sockmux/service-worker"'));
	});
}

test('the files of the npm package: by the bundler, where the page says, or an error that names the setting', () => {
	const more = () => ({ webrWorker: new URL('https://h/bundle/worker-1a2b.js') });
	const built = builtFiles({}, more);
	assert.equal(built.webrWorker.name, 'https://h/bundle/worker-1a2b.js');
	assert.match(built.wasm.name, /\/assets\/sockmux\.wasm$/);
	assert.equal(builtFiles({ assets: '/static/' }, more), FILES);
	const fail = () => {
		throw new TypeError('Invalid URL');
	};
	assert.throws(() => builtFiles({}, fail), (error) => error instanceof ConfigError && error.message.startsWith('assets is missing'));
	assert.equal(builtFiles({ wasm: '/sockmux.wasm' }, fail), FILES);
});
