import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installFacade } from '../../src/facade/install.js';
import { fakeScope, NativeSocket } from '../fakes/page.js';
import { FakeTunnel } from '../fakes/tunnel.js';

/** @param {any} [match] */
function install(match = 'sockfs') {
	const scope = fakeScope();
	const tunnel = new FakeTunnel();
	const uninstall = installFacade({ tunnel: /** @type {any} */ (tunnel), config: { match, origin: 'https://page.example' }, scope });
	return { scope, tunnel, uninstall };
}

test('a construction of SOCKFS is tunneled, any other is the native object', () => {
	const { scope, tunnel } = install();
	const ours = new scope.WebSocket('wss://db.example:5432/', ['binary']);
	const native = new scope.WebSocket('wss://page.example/chat', ['binary']);
	assert.equal(tunnel.streams.length, 1);
	assert.deepEqual(tunnel.streams[0].request.host, 'db.example');
	assert.equal(ours.readyState, 0);
	assert.equal(native.readyState, 'native');
	assert.deepEqual([native.nativeUrl, native.protocols], ['wss://page.example/chat', ['binary']]);
	assert.equal(Object.getPrototypeOf(native), NativeSocket.prototype);
	assert.ok(ours instanceof scope.WebSocket && native instanceof scope.WebSocket && ours instanceof NativeSocket);
	assert.equal(ours.constructor, scope.WebSocket);
	assert.deepEqual([scope.WebSocket.CONNECTING, scope.WebSocket.name], [0, 'NativeSocket']);
});

test('the native exceptions stay, and a tunneled construction never throws', () => {
	const { scope, tunnel } = install();
	assert.throws(() => new scope.WebSocket('nonsense'), { name: 'SyntaxError' });
	assert.throws(() => new scope.WebSocket(), TypeError);
	assert.throws(() => scope.WebSocket('wss://db.example:1/', 'binary'), TypeError);
	for (const url of ['ws://:1/', 'ws://a b:99999/', 'ws://user@host:1/', 'ws://h:0/', 'ws://[::1:5/', 'ws://\0:1/']) {
		assert.equal(new scope.WebSocket(url, 'binary').url.length > 0, true, url);
	}
	assert.equal(tunnel.streams.length, 6);
});

test('subclasses work for both', () => {
	const { scope } = install();
	const Base = /** @type {new (url: string, protocol: string) => any} */ (scope.WebSocket);
	class Own extends Base {
		/** @param {unknown} data */
		send(data) {
			return `own ${data}`;
		}
	}
	const ours = new Own('wss://db.example:1/', 'binary');
	const native = new Own('wss://page.example/', 'chat');
	for (const socket of [ours, native]) {
		assert.ok(socket instanceof Own && socket instanceof scope.WebSocket);
		assert.equal(socket.send('x'), 'own x');
	}
	assert.equal(ours.readyState, 0);
	assert.equal(native.readyState, 'native');
});

test('uninstall puts the native constructor back, unless somebody else has replaced ours', () => {
	const first = install();
	first.uninstall();
	assert.equal(first.scope.WebSocket, NativeSocket);
	const second = install();
	const facade = second.scope.WebSocket;
	class Other extends facade {}
	second.scope.WebSocket = Other;
	second.uninstall();
	assert.equal(second.scope.WebSocket, Other);
	assert.equal(new facade('wss://db.example:1/', 'binary').readyState, 'native');
});
