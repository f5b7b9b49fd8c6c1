// What the two halves of a ring tell each other by single words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN_AT, STATE, WORD, wordsOf } from '../src/worker/layout.js';
import { RingConnector } from '../src/worker/ring.js';
import { Bridge } from '../src/webr/bridge.js';
import { FakeTunnel } from './fakes/tunnel.js';

/** A socket of a worker's, and the messages that it has sent to the page. */
function make() {
	/** @type {any[]} */
	const messages = [];
	const connector = new RingConnector((message) => messages.push(message), () => {});
	const socket = connector.connect({ host: 'h', port: 1 });
	const [{ buffer }] = messages.splice(0);
	const words = wordsOf(buffer);
	Atomics.store(words, WORD.state, STATE.open);
	return { socket, words, buffer, messages };
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

test('the page takes what was put while it looked: it clears the flag first', () => {
	const tunnel = new FakeTunnel();
	const worker = /** @type {any} */ (new EventTarget());
	const bridge = new Bridge(worker, { open: (request, handlers) => tunnel.open(request, handlers), report: () => {} });
	/** @type {any[]} */
	const kicks = [];
	const connector = new RingConnector((message) => (message.op === 'kick' ? kicks.push(message) : bridge.receive(message)), () => {});
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
