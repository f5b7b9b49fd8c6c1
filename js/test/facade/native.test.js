import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { openNative } from '../../src/facade/native.js';
import { FakeCarrier } from '../fakes/program.js';
import { settled } from '../fakes/tunnel.js';

afterEach(() => {
	FakeCarrier.made = [];
});

function make() {
	/** @type {string[]} */
	const told = [];
	const stream = openNative(/** @type {any} */ (FakeCarrier), 'wss://own:1/', {
		onopen: () => told.push('open'),
		ondata: (bytes) => told.push(`data ${Buffer.from(bytes)}`),
		onwritten: (bytes) => told.push(`written ${bytes}`),
		oneof: () => told.push('eof'),
		onclose: (why) => told.push(`close ${why.name} ${why.text}`),
	});
	return { told, stream, socket: FakeCarrier.made[0] };
}

test('a native socket in the form of a stream', () => {
	const { told, stream, socket } = make();
	assert.deepEqual([socket.url, socket.protocol, socket.binaryType], ['wss://own:1/', 'binary', 'arraybuffer']);
	const bytes = new Uint8Array([104, 105]);
	stream.write(bytes);
	bytes.fill(0);
	socket.onopen();
	socket.onmessage({ data: new Uint8Array([65]).buffer });
	socket.onmessage({ data: 'text' });
	stream.closeWrite();
	stream.write(new Uint8Array(1));
	socket.onclose({ code: 1000, reason: '', wasClean: true });
	assert.deepEqual(socket.sent, ['hi']);
	assert.equal(socket.closed.length, 1);
	assert.deepEqual(told, ['open', 'written 2', 'data A', 'data text', 'eof', 'close ok ']);
});

test('what was written before the open goes out before the end', () => {
	const { stream, socket } = make();
	stream.write(new Uint8Array([65]));
	stream.close();
	assert.equal(socket.closed.length, 0);
	socket.onopen();
	assert.deepEqual([socket.sent, socket.closed.length], [['A'], 1]);
});

test('failures before and after the open', () => {
	const first = make();
	first.socket.onclose({ code: 1006, reason: '', wasClean: false });
	assert.deepEqual(first.told, ['close refused wss://own:1/: close code 1006']);
	FakeCarrier.made = [];
	const second = make();
	second.socket.onopen();
	second.socket.onclose({ code: 1011, reason: 'why', wasClean: false });
	assert.deepEqual(second.told, ['open', 'close reset wss://own:1/: why']);
});

test('reset drops what waits and hears no more', () => {
	const { told, stream, socket } = make();
	stream.write(new Uint8Array([65]));
	stream.reset();
	socket.onopen();
	socket.onmessage({ data: new Uint8Array([65]).buffer });
	assert.deepEqual([socket.sent, told], [[], ['open']]);
});

test('a URL that the browser refuses is told, not thrown', async () => {
	/** @type {string[]} */
	const told = [];
	const stream = openNative(/** @type {any} */ (class {
		constructor() {
			throw new DOMException('bad', 'SyntaxError');
		}
	}), 'x', { onclose: (why) => told.push(`${why.name} ${why.text}`) });
	stream.write(new Uint8Array(1));
	assert.deepEqual(told, []);
	await settled();
	assert.deepEqual(told, ['invalid_request SyntaxError: bad']);
});
