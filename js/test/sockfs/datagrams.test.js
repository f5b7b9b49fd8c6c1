import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AF_INET6, MSG, POLL, SOCK_DGRAM } from '../../src/sockfs/flags.js';
import { patchOps } from '../../src/sockfs/sockets/ops.js';
import * as CODES from '../../src/wire/generated/code.js';
import { ending } from '../../src/wire/codes.js';
import * as ERRNO from '../../src/wire/generated/errno.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';

const READ = POLL.IN | POLL.RDNORM;
const WRITE = POLL.OUT | POLL.WRNORM;
const FIRST = { host: '192.0.2.1', port: 9 };

/** A socket at the server that the test plays. */
class FakeDatagrams {
	alive = true;
	opened = false;
	only = /** @type {any} */ (null);
	/** @type {any[]} */
	sent = [];
	/** @type {any[]} */
	arrived = [];

	/** @param {any} target @param {any} handlers */
	constructor(target, handlers) {
		this.target = target;
		this.handlers = handlers;
	}

	get next() {
		return this.arrived[0] ?? null;
	}

	take() {
		return this.arrived.shift() ?? null;
	}

	/** @param {any} peer @param {Uint8Array} bytes */
	send(peer, bytes) {
		this.sent.push([peer, Buffer.from(bytes).toString()]);
		return true;
	}

	close() {
		this.alive = false;
	}

	/** @param {string} addr @param {number} port */
	open(addr = '0.0.0.0', port = 4000) {
		this.opened = true;
		this.handlers.onopen({ bound: { addr, port } });
	}

	/** @param {string} text @param {any} [peer] */
	come(text, peer = null) {
		this.arrived.push({ peer, bytes: new Uint8Array(Buffer.from(text)) });
		this.handlers.onarrival();
	}

	/** @param {number} code */
	end(code) {
		this.alive = false;
		this.handlers.onclose(ending(code));
	}
}

/** @param {{ canWait?: boolean, binds?: boolean, nonblocking?: boolean, peers?: boolean }} [options] */
function start({ canWait = false, binds = true, nonblocking = true, peers = false } = {}) {
	const emscripten = new FakeEmscripten();
	if (peers) Object.assign(emscripten.ops, { createPeer() {}, addPeer: (/** @type {any} */ sock, /** @type {any} */ peer) => void (sock.peers[`${peer.addr}:${peer.port}`] = peer) });
	const connector = /** @type {any} */ (new FakeConnector(canWait));
	/** @type {FakeDatagrams[]} */
	const made = [];
	connector.binds = binds;
	connector.datagrams = (/** @type {any} */ target, /** @type {any} */ handlers) => {
		made.push(new FakeDatagrams(target, handlers));
		return made.at(-1);
	};
	patchOps(emscripten.program, connector);
	const sock = emscripten.socket({ type: SOCK_DGRAM, nonblocking });
	const { ops } = emscripten;
	return {
		emscripten, connector, made, sock, ops,
		/** @param {string} text @param {string} [host] @param {number} [port] */
		send: (text, host, port) => ops.sendmsg(sock, Buffer.from(text), 0, text.length, host, port),
		/** @param {number} [length] @param {number} [flags] */
		receive: (length = 100, flags = 0) => {
			const { buffer, addr, port } = ops.recvmsg(sock, length, flags);
			return [Buffer.from(buffer).toString(), addr, port];
		},
	};
}

describe('a UDP socket that is not connected', () => {
	test('opens with the first datagram and sends to each address', () => {
		const { made, sock, send, ops } = start();
		assert.equal(ops.poll(sock), WRITE);
		assert.equal(send('one', FIRST.host, FIRST.port), 3);
		assert.equal(send('two', 'name.test', 53), 3);
		assert.deepEqual(made.map(({ target }) => target), [{ host: '', port: 0 }]);
		assert.deepEqual(made[0].sent, [[FIRST, 'one'], [{ host: 'name.test', port: 53 }, 'two']]);
	});

	test('receives whole datagrams with their senders', () => {
		const { emscripten, made, sock, send, receive, ops } = start();
		assert.equal(emscripten.errno(() => receive()), ERRNO.EAGAIN);
		send('x', FIRST.host, FIRST.port);
		made[0].come('hello', FIRST);
		made[0].come('', FIRST);
		assert.equal(ops.poll(sock), READ | WRITE);
		assert.deepEqual(receive(2, MSG.PEEK), ['he', FIRST.host, FIRST.port]);
		assert.equal(ops.recvmsg(sock, 2, MSG.PEEK | MSG.TRUNC).buffer.byteLength, 5);
		assert.deepEqual(receive(2), ['he', FIRST.host, FIRST.port]);
		assert.deepEqual(receive(), ['', FIRST.host, FIRST.port]);
		assert.equal(ops.poll(sock), WRITE);
	});

	test('of IPv6: the server gets an address of IPv4 as such, the program gets it mapped', () => {
		const { made, sock, send, receive, ops } = start();
		sock.family = AF_INET6;
		const [shown, peer] = [`::ffff:${FIRST.host}`, { host: FIRST.host, port: FIRST.port }];
		send('x', shown, FIRST.port);
		assert.deepEqual(made[0].sent, [[peer, 'x']]);
		made[0].come('back', peer);
		assert.deepEqual(receive(), ['back', shown, FIRST.port]);
		ops.connect(sock, shown, FIRST.port);
		assert.deepEqual([made[1].target, sock.daddr], [peer, shown]);
		made[1].open('127.0.0.1', 5353);
		assert.equal(sock.saddr, '::ffff:127.0.0.1');
	});

	test('refuses what Linux refuses', () => {
		const { emscripten, made, sock, send, receive, ops } = start();
		assert.equal(emscripten.errno(() => send('x')), ERRNO.EDESTADDRREQ);
		assert.equal(emscripten.errno(() => send('x', FIRST.host, 0)), ERRNO.EINVAL);
		assert.equal(emscripten.errno(() => ops.sendmsg(sock, new Uint8Array(65508), 0, 65508, FIRST.host, 9)), ERRNO.EMSGSIZE);
		assert.equal(emscripten.errno(() => receive(1, MSG.OOB)), ERRNO.EINVAL);
		assert.equal(emscripten.errno(() => ops.connect(sock, FIRST.host, 0)), ERRNO.EINVAL);
		assert.equal(made.length, 0);
	});

	test('reports an error once, and goes on', () => {
		const { emscripten, made, sock, send, receive, ops } = start();
		send('x', FIRST.host, FIRST.port);
		made[0].handlers.onreport({ peer: FIRST, code: CODES.denied, text: '' });
		assert.equal(ops.poll(sock), READ | WRITE | POLL.ERR);
		assert.equal(emscripten.errno(() => receive()), ERRNO.EACCES);
		assert.equal(send('y', FIRST.host, FIRST.port), 1);
		assert.equal(made.length, 1);
	});

	test('opens anew behind the end of its stream', () => {
		const { emscripten, made, send, receive } = start();
		send('x', FIRST.host, FIRST.port);
		made[0].end(CODES.idle);
		assert.equal(emscripten.errno(() => receive()), ERRNO.ETIMEDOUT);
		send('y', FIRST.host, FIRST.port);
		assert.deepEqual(made[1].sent, [[FIRST, 'y']]);
	});
});

describe('a connected UDP socket', () => {
	test('sends without an address, and says from where it receives', () => {
		const { emscripten, made, sock, send, receive, ops } = start();
		ops.connect(sock, FIRST.host, FIRST.port);
		assert.deepEqual(made[0].target, FIRST);
		send('x');
		send('y', FIRST.host, FIRST.port);
		assert.equal(emscripten.errno(() => send('z', '192.0.2.2', 9)), ERRNO.EISCONN);
		assert.deepEqual(made[0].sent, [[null, 'x'], [null, 'y']]);
		made[0].come('answer');
		assert.deepEqual(receive(), ['answer', FIRST.host, FIRST.port]);
	});

	test('sends to this machine where the address names no host', () => {
		const { made, sock, send, ops } = start();
		send('a', '0.0.0.0', 9);
		assert.deepEqual(made[0].sent, [[{ host: '127.0.0.1', port: 9 }, 'a']]);
		ops.connect(sock, '0.0.0.0', 9);
		send('b', '0.0.0.0', 9);
		assert.deepEqual([made[1].target, made[1].sent], [{ host: '127.0.0.1', port: 9 }, [[null, 'b']]]);
	});

	test('connects again, and to nothing', () => {
		const { emscripten, made, sock, send, ops } = start();
		ops.connect(sock, FIRST.host, FIRST.port);
		ops.connect(sock, FIRST.host, 10);
		assert.deepEqual(made.map(({ alive }) => alive), [false, true]);
		made[0].handlers.onreport({ peer: null, code: CODES.refused, text: '' });
		assert.equal(send('x'), 1, 'an error of the earlier socket');
		assert.equal(ops.disconnect(sock), 0);
		assert.equal(emscripten.errno(() => send('x')), ERRNO.EDESTADDRREQ);
	});

	test('waits for a datagram where the thread can', () => {
		const { connector, made, sock, receive, ops } = start({ canWait: true, nonblocking: false });
		ops.connect(sock, FIRST.host, FIRST.port);
		connector.meanwhile = [() => made[0].come('late')];
		assert.deepEqual(receive()[0], 'late');
		assert.equal(connector.waits.length, 1);
	});

	test('closes its socket', () => {
		const { emscripten, made, sock, ops } = start();
		ops.connect(sock, FIRST.host, FIRST.port);
		emscripten.close(sock.stream.fd);
		assert.equal(made[0].alive, false);
	});
});

describe('bind() of a UDP socket', () => {
	test('to a port asks for it, waits, and shows where it is', () => {
		const { connector, made, sock, ops } = start({ canWait: true });
		connector.meanwhile = [() => made[0].open('127.0.0.1', 5353)];
		ops.bind(sock, '0.0.0.0', 5353);
		assert.deepEqual(made[0].target, { kind: KIND.udp_bound, host: '0.0.0.0', port: 5353 });
		assert.deepEqual([sock.saddr, sock.sport, connector.waits.length], ['127.0.0.1', 5353, 1]);
	});

	test('answers strangers, also behind connect()', () => {
		const { made, sock, send, receive, ops } = start();
		ops.bind(sock, '0.0.0.0', 5353);
		made[0].open('127.0.0.1', 5353);
		made[0].come('who?', FIRST);
		assert.deepEqual(receive(), ['who?', FIRST.host, FIRST.port]);
		send('I', FIRST.host, FIRST.port);
		ops.connect(sock, FIRST.host, FIRST.port);
		send('you');
		assert.deepEqual([made.length, made[0].only, made[0].sent], [1, FIRST, [[FIRST, 'I'], [FIRST, 'you']]]);
		ops.disconnect(sock);
		assert.deepEqual([made[0].only, made[0].alive], [null, true]);
	});

	test('fails as the server says, and may be called again', () => {
		const { emscripten, connector, made, sock, ops } = start({ canWait: true });
		connector.meanwhile = [() => made[0].end(CODES.address_in_use)];
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 5353)), ERRNO.EADDRINUSE);
		connector.meanwhile = [() => made[1].open()];
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 5354)), 0);
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 5355)), ERRNO.EINVAL, 'it is bound');
	});

	test('to no port gets one that strangers may send to, and shows it at once', () => {
		const { connector, made, sock, ops } = start({ canWait: true });
		connector.meanwhile = [() => made[0].open('127.0.0.1', 40_000)];
		ops.bind(sock, '127.0.0.1', 0);
		assert.deepEqual(made[0].target, { kind: KIND.udp_bound, host: '127.0.0.1', port: 0 });
		assert.deepEqual([sock.saddr, sock.sport], ['127.0.0.1', 40_000]);
	});

	test('to no port is a client\'s where the server lets no stranger send', () => {
		const { emscripten, connector, made, sock, send, ops } = start({ canWait: true });
		connector.meanwhile = [() => made[0].end(CODES.denied), () => made[1].open('192.0.2.7', 40_001)];
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 0)), 0);
		assert.deepEqual(made.map(({ target }) => target), [{ kind: KIND.udp_bound, host: '0.0.0.0', port: 0 }, { host: '', port: 0 }]);
		assert.deepEqual([sock.sport, made[0].alive], [40_001, false]);
		send('x', FIRST.host, FIRST.port);
		assert.deepEqual(made[1].sent, [[FIRST, 'x']]);
	});

	test('to no port leaves it to the next call that neither opens', () => {
		const { emscripten, connector, made, sock, receive, ops } = start({ canWait: true });
		connector.meanwhile = [() => made[0].end(CODES.denied), () => made[1].end(CODES.denied)];
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 0)), 0);
		assert.equal(emscripten.errno(() => receive()), ERRNO.EACCES);
	});

	test('where the call cannot wait, the error is a later call\'s, and a later use binds again', () => {
		const { emscripten, made, sock, send, receive, ops } = start();
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 5353)), 0);
		made[0].end(CODES.denied);
		assert.equal(ops.poll(sock), READ | WRITE | POLL.ERR);
		assert.equal(emscripten.errno(() => receive()), ERRNO.EACCES);
		send('x', FIRST.host, FIRST.port);
		assert.deepEqual([made[1].target.kind, made[1].target.port], [KIND.udp_bound, 5353]);
	});

	test('to a port is EACCES where the page does not let programs listen', () => {
		const { emscripten, made, sock, ops } = start({ binds: false });
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 5353)), ERRNO.EACCES);
		assert.equal(emscripten.errno(() => ops.bind(sock, '0.0.0.0', 0)), 0);
		assert.deepEqual(made[0].target, { host: '', port: 0 });
		made[0].open('::', 4000);
		assert.deepEqual([sock.saddr, sock.sport], ['0.0.0.0', 4000], 'an IPv4 socket has no address of IPv6');
	});
});

test('shows a peer that is told of datagrams and failures, for what waits for peers as php-wasm does', () => {
	const { emscripten, made, sock, send, receive } = start({ peers: true });
	send('x', FIRST.host, FIRST.port);
	const [{ socket: peer }] = /** @type {any[]} */ (Object.values(sock.peers));
	assert.deepEqual([peer.readyState, sock.recv_queue.length], [peer.OPEN, 0]);
	let told = 0;
	peer.on('message', () => void told++);
	made[0].open();
	made[0].come('hello', FIRST);
	assert.deepEqual([told, sock.recv_queue.length], [1, 1]);
	receive();
	assert.equal(sock.recv_queue.length, 0);
	made[0].end(CODES.refused);
	assert.deepEqual([told, sock.recv_queue.length], [2, 1]);
	assert.equal(emscripten.errno(() => receive()), ERRNO.ECONNREFUSED);
	send('y', FIRST.host, FIRST.port);
	assert.equal(Object.keys(sock.peers).length, 1);
});
