// How the page's half ends, and the halves of nested workers. Bytes are in ring.test.js.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bridge } from '../../src/blocking/bridge.js';
import { LAYOUT } from '../../src/blocking/layout.js';
import { RingConnector } from '../../src/blocking/ring.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeTunnel } from '../fakes/tunnel.js';

function make() {
	const tunnel = new FakeTunnel();
	const bridge = new Bridge(/** @type {any} */ (new EventTarget()), {
		open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: (what, why) => assert.fail(`${what}: ${why}`),
	});
	return { tunnel, bridge };
}

/** A worker's end whose messages are given at once. @param {(message: any) => void} receive */
function connected(receive) {
	const connector = new RingConnector(receive, () => {});
	connector.hello('');
	return { connector, socket: connector.connect({ host: 'a.test', port: 80 }) };
}

/** A nested worker's end, and what its port has carried when the promise resolves. @param {Bridge} bridge @param {number} id */
function nested(bridge, id) {
	const { port1, port2 } = new MessageChannel();
	bridge.receive({ op: 'nested', id, port: port1 });
	const end = connected((message) => port2.postMessage({ sockmux: message }));
	return { ...end, port: port2 };
}

/** @param {() => unknown} ready */
async function until(ready) {
	while (!ready()) {
		await new Promise((resolve) => {
			setImmediate(resolve);
		});
	}
}

test('the end of a worker lets out what it has sent, then closes', () => {
	const { tunnel, bridge } = make();
	const { socket, connector } = connected((message) => message.op !== 'kick' && bridge.receive(message));
	const [stream] = tunnel.streams;
	stream.open();
	socket.send(Buffer.from('last words'));
	bridge.receive({ op: 'closed' });
	assert.deepEqual([stream.text, stream.calls, bridge.size, connector.alive], ['last words', ['close'], 0, false]);
});

test('a worker with the layer of another version does not wait for the page', async () => {
	const { tunnel, bridge } = make();
	/** @type {any[]} */
	const messages = [];
	const { connector, socket } = connected((message) => messages.push(message));
	for (const message of messages) bridge.receive(message.op === 'hello' ? { ...message, layout: LAYOUT + 1 } : message);
	assert.deepEqual([connector.alive, connector.binds, socket.state], [false, false, 'closed']);
	assert.deepEqual([tunnel.streams, bridge.size], [[], 0], 'no stream for a buffer of another layout');
	await assert.rejects(bridge.ready, /another version/);
});

test('an accepted connection is called by its peer', () => {
	const { tunnel, bridge } = make();
	const { connector } = connected((message) => bridge.receive(message));
	connector.connect({ kind: KIND.accept, host: '', port: 7, name: '192.0.2.1:40000' });
	const { kind, port, name } = tunnel.streams[1].request;
	assert.deepEqual({ kind, port, name }, { kind: KIND.accept, port: 7, name: '192.0.2.1:40000' });
});

test('the end of the session drops the streams', () => {
	const { tunnel, bridge } = make();
	const { socket } = connected((message) => bridge.receive(message));
	bridge.close();
	assert.deepEqual([tunnel.streams[0].calls, socket.state], [['reset'], 'closed']);
});

test('a nested worker has sockets of its own, which end with it or with the one above', async () => {
	const { tunnel, bridge } = make();
	const [one, two] = [nested(bridge, 1), nested(bridge, 2)];
	await until(() => tunnel.streams.length === 2);
	bridge.receive({ op: 'terminated', id: 1 });
	assert.deepEqual([one.connector.alive, two.connector.alive], [false, true]);
	bridge.ended();
	assert.deepEqual([two.connector.alive, tunnel.streams.map(({ calls }) => calls)], [false, [['close'], ['close']]]);
	one.port.close();
	two.port.close();
});

test('a nested worker of a page whose session has ended does not wait for it', async () => {
	const { tunnel, bridge } = make();
	bridge.close();
	const { connector, socket, port } = nested(bridge, 1);
	await until(() => !connector.alive);
	assert.deepEqual([socket.state, tunnel.streams], ['closed', []]);
	port.close();
});
