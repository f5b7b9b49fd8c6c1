import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Peer, makePeer } from '../../src/sockfs/sockets/peer.js';
import { FakeSocket } from '../fakes/emscripten.js';

/** A peer of an open socket. */
function start() {
	const peer = new Peer('ws://10.0.0.1:80/', ['binary']);
	const socket = /** @type {any} */ (new FakeSocket(null, null));
	socket.state = 'open';
	peer.carry(socket);
	return { peer, socket };
}

describe('Peer', () => {
	test('is a WebSocket to those who look at it', () => {
		const { peer } = start();
		assert.deepEqual([peer.url, peer.protocol, peer.OPEN, Peer.CLOSED], ['ws://10.0.0.1:80/', 'binary', 1, 3]);
	});

	test('its state is CONNECTING until open and without room, then CLOSED', () => {
		const { peer, socket } = start();
		assert.equal(new Peer('ws://a:1/').readyState, Peer.CONNECTING);
		assert.equal(peer.readyState, Peer.OPEN);
		socket.fin = true;
		assert.equal(peer.readyState, Peer.OPEN, 'the peer\'s FIN ends one direction');
		socket.room = 0;
		assert.equal(peer.readyState, Peer.CONNECTING);
		socket.state = 'closed';
		assert.equal(peer.readyState, Peer.CLOSED);
	});

	test('calls the handler, or listeners and those of Node\'s kind, once each', () => {
		const { peer } = start();
		/** @type {string[]} */
		const seen = [];
		peer.onopen = () => seen.push('handler');
		peer.addEventListener('open', () => seen.push('listener'));
		peer.on('open', () => seen.push('on')).once('open', () => seen.push('once'));
		peer.handle('open');
		peer.fire('open');
		peer.fire('open');
		assert.deepEqual(seen, ['handler', 'listener', 'on', 'once', 'listener', 'on']);
	});

	test('a listener can be removed, also before its once', () => {
		const { peer } = start();
		const fail = () => assert.fail('removed');
		peer.on('close', fail).once('close', fail).removeListener('close', fail);
		peer.fire('close');
	});

	test('a message has bytes that SOCKFS announces, and no port message', () => {
		const { peer } = start();
		/** @type {number[]} */
		const lengths = [];
		peer.onmessage = (event) => lengths.push(event.data.byteLength);
		peer.on('message', (data, isBinary) => lengths.push(data.byteLength, Number(isBinary)));
		peer.handle('message');
		peer.fire('message');
		assert.deepEqual(lengths, [1, 1, 1]);
	});

	test('sends and closes by the socket', () => {
		const { peer, socket } = start();
		peer.send('a');
		peer.send(Uint8Array.of(98));
		peer.send(Uint8Array.of(99).buffer);
		peer.close();
		peer.close();
		assert.equal(socket.text, 'abc');
		assert.deepEqual(socket.calls, ['close']);
		assert.equal(peer.readyState, Peer.CLOSED);
	});
});

describe('makePeer', () => {
	/**
	 * SOCKFS's createPeer with a URL of the page's.
	 * @param {(addr: string, port: number) => string} url
	 * @param {any} scope
	 */
	const sockfs = (url, scope) => ({
		createPeer(/** @type {any} */ sock, /** @type {string} */ addr, /** @type {number} */ port) {
			const peer = { addr, port, socket: new scope.WebSocket(url(addr, port), ['binary']) };
			sock.peers[`${addr}:${port}`] = peer;
			return peer;
		},
		removePeer(/** @type {any} */ sock, /** @type {any} */ { addr, port }) {
			delete sock.peers[`${addr}:${port}`];
		},
	});

	test('SOCKFS makes the peer, and the global WebSocket is as before', () => {
		const scope = { WebSocket: class {} };
		const { WebSocket } = scope;
		const sock = { peers: /** @type {any} */ ({}) };
		const peer = makePeer(sockfs((addr, port) => `wss://${addr}:${port}/`, scope), sock, 'a.test', 80, scope);
		assert.ok(peer instanceof Peer);
		assert.equal(sock.peers['a.test:80'].socket, peer);
		assert.equal(scope.WebSocket, WebSocket);
	});

	test('a URL without a path leads to the target, too', () => {
		const scope = { WebSocket: class {} };
		assert.ok(makePeer(sockfs((addr, port) => `ws://${addr}:${port}`, scope), { peers: {} }, 'a.test', 80, scope) instanceof Peer);
	});

	test('a relay of the page\'s own and a replaced WebSocket are left alone', () => {
		const scope = { WebSocket: class {} };
		const sock = { peers: {} };
		assert.equal(makePeer(sockfs(() => 'ws://relay.test:8080/tcp', scope), sock, 'a.test', 80, scope), null);
		const { createPeer, removePeer } = sockfs((addr, port) => `ws://${addr}:${port}/`, { WebSocket: class {} });
		assert.equal(makePeer({ createPeer, removePeer }, sock, 'a.test', 80, scope), null);
		assert.deepEqual(sock.peers, {});
	});

	test('the WebSocket comes back where SOCKFS throws', () => {
		const scope = { WebSocket: class {} };
		const { WebSocket } = scope;
		const ops = { createPeer: () => {
			throw new Error('no route');
		} };
		assert.throws(() => makePeer(ops, { peers: {} }, 'a.test', 80, scope), /no route/);
		assert.equal(scope.WebSocket, WebSocket);
	});
});
