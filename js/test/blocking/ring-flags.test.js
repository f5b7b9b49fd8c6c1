// What the two halves of a ring tell each other by single words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN_AT, OUT_BYTES, STATE, WORD, wordsOf } from '../../src/blocking/layout.js';
import { COUNT, raise } from '../../src/sockfs/threads/signal.js';
import { RingConnector } from '../../src/blocking/ring.js';
import { Bridge } from '../../src/blocking/bridge.js';
import { FakeTunnel } from '../fakes/tunnel.js';

/** A socket of a worker's, and the messages that it has sent to the page. */
function make() {
	/** @type {any[]} */
	const messages = [];
	const connector = new RingConnector((message) => messages.push(message), () => {});
	const socket = connector.connect({ host: 'h', port: 1 });
	const [{ buffer }] = messages.splice(0);
	const words = wordsOf(buffer);
	Atomics.store(words, WORD.state, STATE.open);
	return { connector, socket, words, buffer, messages };
}

test('a worker sends one message until the page has looked, then another', () => {
	const { socket, words, messages } = make();
	for (const text of ['a', 'b', 'c']) socket.send(Buffer.from(text));
	assert.deepEqual(messages.map(({ op }) => op), ['kick'], 'the second and third wait for the page to look');
	Atomics.store(words, WORD.kicked, 0); // the page does so before it looks
	socket.send(Buffer.from('d'));
	assert.equal(messages.length, 2);
	socket.shutdown(1);
	assert.equal(messages.length, 2);
});

test('what the program changes wakes its threads', () => {
	const { connector, socket } = make();
	const signal = new Int32Array(connector.signal);
	const seen = Atomics.load(signal, COUNT);
	socket.shutdown(0);
	assert.equal(Atomics.load(signal, COUNT), seen + 1);
	socket.close();
	assert.equal(Atomics.load(signal, COUNT), seen + 2);
});

test('the page takes what was put while it looked: it clears the flag first', () => {
	const tunnel = new FakeTunnel();
	const worker = /** @type {any} */ (new EventTarget());
	const bridge = new Bridge(worker, { open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: () => {} });
	/** @type {any[]} */
	const kicks = [];
	const connector = new RingConnector((message) => (message.op === 'kick' ? kicks.push(message) : bridge.receive(message)), () => {});
	connector.hello('');
	const socket = connector.connect({ host: 'h', port: 1 });
	const [stream] = tunnel.streams;
	let nested = false;
	const { write } = stream;
	stream.write = (bytes) => {
		write.call(stream, bytes);
		if (!nested) socket.send(Buffer.from('second')); // the worker runs beside the page
		nested = true;
	};
	socket.send(Buffer.from('first '));
	while (kicks.length > 0) bridge.receive(kicks.shift());
	assert.equal(stream.text, 'first second');
});

test('the end is not told while bytes remain, neither after a FIN nor after the end of all', () => {
	for (const mark of /** @type {const} */ (['eof', 'state'])) {
		const { socket, words, buffer } = make();
		new Uint8Array(buffer, IN_AT).set(Buffer.from('last'));
		Atomics.store(words, WORD.inPut, 4);
		Atomics.store(words, WORD[mark], mark === 'eof' ? 1 : STATE.closed);
		assert.equal(socket.eof, false, mark);
		assert.equal(Buffer.from(socket.recv(3) ?? []).toString(), 'las');
		assert.equal(socket.eof, false, mark);
		assert.equal(Buffer.from(socket.recv(3) ?? []).toString(), 't');
		assert.equal(socket.eof, true, mark);
	}
});

/**
 * A worker and its page in one thread. The page gets the worker's messages when the test hands
 * them on.
 */
function both() {
	const tunnel = new FakeTunnel();
	const bridge = new Bridge(/** @type {any} */ (new EventTarget()), { open: (request, handlers) => tunnel.open(request, handlers), report: () => {}, failed: () => {} });
	/** @type {any[]} */
	const messages = [];
	/** @type {Int32Array | null} */
	let signal = null;
	const connector = new RingConnector((message) => {
		if (message.op === 'hello') signal = new Int32Array(message.signal);
		messages.push(message);
	}, () => {});
	connector.hello('');
	const handOn = () => {
		while (messages.length > 0) bridge.receive(messages.shift());
	};
	const connect = () => {
		const socket = connector.connect({ host: 'h', port: 1 });
		handOn();
		const stream = /** @type {import('../fakes/tunnel.js').FakeStream} */ (tunnel.streams.at(-1));
		stream.open();
		return { socket, stream };
	};
	handOn();
	return { bridge, messages, connect, handOn, wakes: () => Atomics.load(/** @type {Int32Array} */ (signal), COUNT) };
}

test('a worker waits for the page to say whether programs may bind ports', () => {
	for (const binds of [true, false]) {
		const bridge = new Bridge(/** @type {any} */ (new EventTarget()), { open: () => assert.fail(), report: () => {}, failed: () => {}, binds });
		/** @type {any[]} */
		const messages = [];
		let pumps = 0;
		const connector = new RingConnector((message) => void messages.push(message), () => {
			if (++pumps === 2) bridge.receive(messages.shift()); // the page runs beside the worker
		});
		connector.hello('');
		assert.equal(connector.binds, binds);
		assert.equal(pumps, 2);
		assert.ok(connector.alive);
		bridge.close();
		assert.equal(connector.binds, false);
	}
});

test('bytes that have left wake the worker only where it may write again', () => {
	const { connect, handOn, wakes } = both();
	const { socket, stream } = connect();
	socket.send(Buffer.from('short'));
	handOn();
	let before = wakes();
	stream.handlers.onwritten(5);
	assert.equal(wakes(), before, 'there was room all the time');
	assert.equal(socket.room, OUT_BYTES);

	assert.equal(socket.send(new Uint8Array(OUT_BYTES)), OUT_BYTES);
	handOn();
	const quarter = OUT_BYTES / 4;
	before = wakes();
	stream.handlers.onwritten(quarter);
	assert.equal(wakes(), before, 'too little for poll()');
	assert.equal(socket.writable, false);
	stream.handlers.onwritten(quarter);
	assert.equal(wakes(), before + 1);
	assert.equal(socket.writable, true);
	stream.handlers.onwritten(quarter);
	assert.equal(wakes(), before + 1);
});

test('one message of the worker lets the page look at every socket that has a new word', () => {
	const { bridge, messages, connect } = both();
	const sockets = [connect(), connect(), connect()];
	for (const { socket } of sockets.slice(0, 2)) socket.send(Buffer.from('x'));
	assert.equal(messages.length, 2);
	bridge.receive(messages.shift());
	assert.deepEqual(sockets.map(({ stream }) => stream.text), ['x', 'x', '']);
	sockets[1].socket.send(Buffer.from('y'));
	assert.equal(messages.length, 2, 'the page has looked at the second socket too');
	for (const message of messages.splice(0)) bridge.receive(message);
	assert.deepEqual(sockets.map(({ stream }) => stream.text), ['x', 'xy', '']);
});

/** A socket that tells its events, and what it has told. @returns {any} */
function makeWatched() {
	/** @type {any[]} */
	const messages = [];
	/** @type {string[]} */
	const told = [];
	const connector = new RingConnector((message) => messages.push(message), () => {}, { peers: true });
	connector.hello('');
	const socket = connector.connect({ host: 'h', port: 1 }, (event) => told.push(event));
	const signal = new Int32Array(messages[0].signal);
	const words = wordsOf(messages[1].buffer);
	/** The page changes words. @param {Record<string, number>} values */
	const page = (values) => {
		for (const [name, value] of Object.entries(values)) Atomics.store(words, /** @type {any} */ (WORD)[name], value);
		raise(signal);
	};
	/** Resolves when an event has been told. @param {string} event */
	const hears = async (event) => {
		while (!told.includes(event)) await new Promise((resolve) => { setImmediate(() => resolve(undefined)); });
		return told.splice(0);
	};
	return { socket, page, hears };
}

test('bytes that the program reads before it is told of them are not told', async () => {
	const { socket, page, hears } = makeWatched();
	page({ state: STATE.open });
	await hears('open');
	page({ inPut: 4 });
	assert.equal(socket.recv(10).length, 4);
	page({ eof: 1 });
	assert.deepEqual(await hears('close'), ['close']);
});

test('room is told where the buffer was filled and emptied between two looks', async () => {
	const { socket, page, hears } = makeWatched();
	page({ state: STATE.open });
	await hears('open');
	assert.equal(socket.send(new Uint8Array(OUT_BYTES)), OUT_BYTES);
	assert.equal(socket.writable, false);
	page({ outFreed: OUT_BYTES });
	assert.deepEqual(await hears('room'), ['room']);
});
