import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILES } from '../../src/entry/build.js';
import { readConfig } from '../../src/api/config.js';
import { installed, Sockmux } from '../../src/api/sockmux.js';
import { startEngine } from '../../src/engine/engine.js';
import * as CODES from '../../src/wire/generated/code.js';
import * as EVENT from '../../src/wire/generated/event.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { fakeScope, NativeSocket } from '../fakes/page.js';
import { FakeProgram } from '../fakes/program.js';
import { settled, Tasks } from '../fakes/tunnel.js';

/** @param {Record<string, unknown>} [options] @param {any} [layers] @param {import('../../src/entry/parts.js').LoadPart} [part] */
async function make(options = {}, layers = [], part = async () => undefined) {
	const scope = fakeScope();
	scope.sockmux = options;
	scope.document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
	const program = new FakeProgram();
	const tasks = new Tasks();
	const settings = readConfig(options, { script: 'https://h/sockmux.js', pinned: false, page: 'https://p/', origin: 'https://p', built: FILES });
	const sockmux = new Sockmux({ scope, config: { ...settings, part }, version: '1.2.3', start: (owner) => startEngine({ start: program.start, Native: scope.WebSocket }, owner), layers, schedule: tasks.schedule });
	await settled();
	await tasks.run();
	return { scope, program, tasks, sockmux, options };
}

test('the object is in place and tells its version and state', async () => {
	const { scope, sockmux, program } = await make({ token: 'secret' });
	assert.equal(scope.sockmux, sockmux);
	assert.equal(installed(scope), sockmux);
	assert.equal(sockmux.version, '1.2.3');
	assert.equal(sockmux.status.state, 'idle');
	assert.equal(sockmux.stats().url, 'wss://h/v1/connect');
	assert.deepEqual(program.calls.slice(0, 2), [['configure', 'wss://h/v1/connect\0sockmux.js/1.2.3'], ['setToken', 'secret']]);
	/**
	 * The published types hold for the object: tsc checks it.
	 * @type {import('../../types/sockmux.d.ts').Sockmux}
	 */
	const published = sockmux;
	assert.equal(published.stats().streams.length, 0);
	assert.equal(installed({ sockmux: { url: 'x' } }), null);
	assert.equal(installed({}), null);
});

test('lazy loads nothing until a socket is made', async () => {
	const { scope, program, tasks } = await make({ load: 'lazy' });
	assert.equal(program.ran, false);
	assert.equal(new scope.WebSocket('wss://db:1/', 'binary').readyState, 0);
	await settled();
	await tasks.run();
	assert.equal(program.ran, true);
});

test('a page that comes online or to the front tries at once', async () => {
	const { scope, program } = await make();
	const kicks = () => program.calls.filter(([name]) => name === 'kick').length;
	scope.dispatchEvent(new Event('online'));
	scope.document.dispatchEvent(new Event('visibilitychange'));
	assert.equal(kicks(), 1);
	scope.document.visibilityState = 'visible';
	scope.document.dispatchEvent(new Event('visibilitychange'));
	assert.equal(kicks(), 2);
});

test('a page that goes for good says goodbye, one that is cached does not', async () => {
	const { scope, program } = await make();
	const goodbyes = () => program.calls.filter(([name]) => name === 'shutdown').length;
	scope.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
	assert.equal(goodbyes(), 0);
	scope.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
	assert.equal(goodbyes(), 1);
});

test('uninstall takes everything away', async () => {
	/** @type {string[]} */
	const layers = [];
	const { scope, sockmux, program, options } = await make({}, [() => ({ remove: () => layers.push('removed') })]);
	assert.notEqual(scope.WebSocket, NativeSocket);
	sockmux.uninstall();
	sockmux.uninstall();
	assert.equal(scope.WebSocket, NativeSocket);
	assert.equal(scope.sockmux, options);
	assert.deepEqual(layers, ['removed']);
	assert.equal(program.calls.at(-1)?.[0], 'shutdown');
	scope.dispatchEvent(new Event('online'));
	assert.equal(program.calls.at(-1)?.[0], 'shutdown');
});

test('layers get the native constructor, and attach reaches those that can', async () => {
	/** @type {unknown[]} */
	const got = [];
	const { sockmux } = await make({}, [
		(/** @type {any} */ parts) => {
			got.push(parts.Native, parts.config.url);
			return { remove: () => {}, attach: async (/** @type {any} */ webR) => void got.push(webR) };
		},
		() => ({ remove: () => {} }),
	]);
	await sockmux.attach('webR');
	assert.deepEqual(got, [NativeSocket, 'wss://h/v1/connect', 'webR']);
});

test('connect: the page\'s settings are the defaults, and what is no target throws', async () => {
	const { sockmux, program } = await make({ timeout: 3, optimistic: true });
	const asked = () => program.calls.at(-1)?.slice(0, 7);
	sockmux.connect('db.example', 5432);
	assert.deepEqual(asked(), ['streamOpen', 1, KIND.tcp, 5432, 0, 3000, 1]);
	sockmux.connect('db.example', 5432, { timeout: 1.5, optimistic: false });
	assert.deepEqual(asked(), ['streamOpen', 2, KIND.tcp, 5432, 0, 1500, 0]);
	assert.throws(() => sockmux.connect(/** @type {any} */ (undefined), 80), TypeError);
	assert.throws(() => sockmux.connect('db.example', 5432, { keepAliveDelay: 999 }), { name: 'TypeError', message: 'connect: keepAliveDelay 999 is less than 1000 milliseconds' });
	assert.equal(sockmux.stats().opened, 2, 'nothing was asked for');
});

test('connect: the forms of an address', async () => {
	const { sockmux, program } = await make();
	const asked = () => [program.calls.at(-1)?.[3], program.calls.at(-1)?.at(-1)];
	/** @type {[args: any[], port: number, host: string][]} */
	const forms = [
		[['db.example:5432'], 5432, 'db.example'],
		[[{ hostname: '[2001:db8::7]', port: 443 }, { family: 6 }], 443, '2001:db8::7'],
		[['db.example:5432', null], 5432, 'db.example'],
		[['db.example', '5432'], 5432, 'db.example'],
		[['[2001:db8::7]', 443, undefined], 443, '2001:db8::7'],
	];
	for (const [args, port, host] of forms) {
		/** @type {any} */ (sockmux).connect(...args);
		assert.deepEqual(asked(), [port, host], JSON.stringify(args));
	}
	const { opened } = sockmux.stats();
	for (const args of [['db.example'], [{}], ['h:1', { secureTransport: 'tls' }], ['h:1', { family: 5 }], ['h:1', { signal: 'now' }], ['h', undefined, {}]]) {
		assert.throws(() => /** @type {any} */ (sockmux).connect(...args), TypeError, JSON.stringify(args));
	}
	assert.equal(sockmux.stats().opened, opened, 'nothing was asked for');
	assert.equal(new sockmux.TCPSocket('h', 1) instanceof sockmux.TCPSocket, true);
	assert.equal(sockmux.connect('h:1', { secureTransport: 'starttls' }).upgraded, false);
	assert.equal(sockmux.stats().opened, opened + 2);
});

test('fetch() and TLS are those of a part, which is loaded once', async () => {
	/** @type {any[]} */
	const calls = [];
	const { sockmux, scope } = await make({}, [], async (/** @type {string} */ name) => (/** @type {any} */ shared) => {
		calls.push([name, shared.scope === scope]);
		return { fetch: async (/** @type {any[]} */ ...args) => args, secure: async (/** @type {any} */ given) => {
				calls.push(given);
				return () => ({ open() {}, grant() {} });
			} };
	});
	const { fetch } = sockmux;
	assert.deepEqual(await fetch('https://h/', { method: 'PUT' }), ['https://h/', { method: 'PUT' }]);
	sockmux.connect('h:1', { secureTransport: 'on', tls: { sni: 'name' } });
	await settled();
	assert.deepEqual(calls[0], ['http', true]);
	const [, { request, plain, choices }] = calls;
	assert.deepEqual([request.host, request.port, plain, choices], ['h', 1, undefined, { sni: 'name' }]);
	assert.equal(sockmux.stats().opened, 0, 'the stream below is the one that counts');
});

test('connect: options of the socket go to the server', async () => {
	const { sockmux, program } = await make();
	sockmux.connect('h', 1, { noDelay: false, keepAliveDelay: 30_000 });
	assert.equal(program.calls.at(-1)?.at(-1), 'h\x01\0\0\0\0\x02\0\0\0\x01\x03\0\0\0\x1e');
});

test('resolve: the page\'s time is the default, and failures are SocketErrors', async () => {
	const { sockmux, program, tasks } = await make({ timeout: 3 });
	sockmux.resolve('db.example', { family: 4 });
	assert.deepEqual(program.calls.at(-1)?.slice(0, 6), ['streamOpen', 1, KIND.resolve, 0, 4, 3000]);
	const refused = assert.rejects(sockmux.resolve('a b'), { name: 'SocketError', code: 'invalid_request', message: 'a b: invalid_request: "a b" is not a host name: it contains a space' });
	await tasks.run();
	await refused;
	const controller = new AbortController();
	const given = assert.rejects(sockmux.resolve('db.example', { signal: controller.signal }), (error) => error === 'no longer needed');
	controller.abort('no longer needed');
	program.events.push({ kind: EVENT.closed, id: 3, a: CODES.aborted });
	program.imports.event();
	await tasks.run();
	await given;
	await assert.rejects(sockmux.resolve('h', { signal: /** @type {any} */ ({}) }), TypeError);
});
