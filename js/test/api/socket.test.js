import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetFrom, targetOf } from '../../src/api/address.js';
import { SocketError } from '../../src/api/errors.js';
import { Socket } from '../../src/api/socket.js';
import * as CODES from '../../src/wire/generated/code.js';
import { FakeTunnel, settled } from '../fakes/tunnel.js';

/**
 * @param {object} [request]
 * @param {ConstructorParameters<typeof Socket>[2]} [choices]
 */
function make(request, choices) {
	const tunnel = new FakeTunnel();
	const socket = new Socket(tunnel, { host: 'h', port: 1, ...request }, choices);
	return { socket, stream: tunnel.streams[0] };
}

/** What has become of a promise so far. @param {Promise<unknown>} promise */
function watch(promise) {
	const state = { now: 'pending', error: /** @type {any} */ (null) };
	promise.then(() => void (state.now = 'fulfilled'), (error) => void Object.assign(state, { now: 'rejected', error }));
	return state;
}

test('streams both ways', async () => {
	const { socket, stream } = make({ timeoutMs: 1500 });
	assert.deepEqual({ ...stream.request }, { host: 'h', port: 1, timeoutMs: 1500, window: 1024 * 1024 });
	const reader = socket.readable.getReader();
	const writer = socket.writable.getWriter();
	const written = writer.write('hi ');
	await settled();
	assert.equal(stream.text, 'hi ', 'the first chunk does not wait for the answer');
	stream.handlers.onopen({ bound: { addr: '10.0.0.1', port: 1 }, remote: { addr: '10.0.0.2', port: 2 } });
	await written;
	await writer.write(new Uint8Array([65, 66, 67]).subarray(1));
	await writer.write(new Uint8Array([68]).buffer);
	await writer.write(/** @type {any} */ (new SharedArrayBuffer(1)));
	assert.equal(stream.text, 'hi BCD\0');
	assert.deepEqual(await socket.opened, {
		remoteAddress: '10.0.0.2:2', localAddress: '10.0.0.1:1', alpn: null,
		bound: { addr: '10.0.0.1', port: 1 }, remote: { addr: '10.0.0.2', port: 2 },
	});
	stream.handlers.ondata(Buffer.from('answer'));
	stream.handlers.oneof();
	assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'answer');
	assert.equal((await reader.read()).done, true);
	await writer.close();
	assert.equal(stream.calls.at(-1), 'closeWrite');
	stream.end(CODES.ok);
	await socket.closed;
});

test('what is read is granted, and a writer waits while the line is full', async () => {
	const { socket, stream } = make();
	const granted = () => stream.calls.filter((call) => call.startsWith('grant')).reduce((sum, call) => sum + Number(call.slice(6)), 0);
	const reader = socket.readable.getReader();
	stream.open();
	stream.handlers.ondata(new Uint8Array(60_000));
	await settled();
	assert.equal(granted(), 0);
	await reader.read();
	await settled();
	assert.equal(granted(), 60_000);
	stream.buffered = 300_000;
	const writing = watch(socket.writable.getWriter().write(new Uint8Array(300_000)));
	await settled();
	assert.equal(writing.now, 'pending');
	stream.buffered = 200_000;
	stream.handlers.onwritten(100_000);
	await settled();
	assert.equal(writing.now, 'fulfilled');
});

test('a refusal rejects everything with its name, the writer\'s promises of before the answer too', async () => {
	const { socket, stream } = make();
	const reader = socket.readable.getReader();
	const writer = socket.writable.getWriter();
	const promises = [writer.write('early'), writer.write('more'), writer.close(), writer.closed, socket.opened, socket.closed, reader.read()].map(watch);
	await settled();
	assert.deepEqual(promises.map(({ now }) => now), promises.map(() => 'pending'));
	stream.end(CODES.refused, 'nothing listens');
	await settled();
	for (const { now, error } of promises) assert.deepEqual([now, error?.name, error?.code, error?.message], ['rejected', 'SocketError', 'refused', 'h:1: refused: nothing listens']);
});

test('close() delivers what was written, also what waits in the writable', async () => {
	const { socket, stream } = make();
	const writer = socket.writable.getWriter();
	const promises = [writer.write('a'), writer.write('b'), writer.write('c')].map(watch);
	socket.close();
	await settled();
	assert.deepEqual([stream.text, stream.calls], ['a', ['stop']]);
	assert.equal(stream.handlers.holds(), true);
	stream.open();
	await settled();
	assert.deepEqual([stream.text, stream.calls], ['abc', ['stop', 'close']]);
	assert.equal(stream.handlers.holds(), false);
	assert.deepEqual(promises.map(({ now }) => now), ['fulfilled', 'fulfilled', 'fulfilled']);
	stream.end(CODES.ok);
	await socket.closed;
});

test('writer.close() and close() without waiting for either', async () => {
	const { socket, stream } = make();
	const writer = socket.writable.getWriter();
	writer.write('a');
	writer.write('b');
	const closing = watch(writer.close());
	socket.close();
	stream.open();
	await settled();
	assert.equal(stream.text, 'ab');
	assert.ok(stream.calls.includes('close'));
	assert.equal(closing.now, 'fulfilled');
});

test('writer.close() fulfils where the answer and the end of the socket come together', async () => {
	const { socket, stream } = make();
	const writer = socket.writable.getWriter();
	const promises = [writer.write('a'), writer.close(), writer.closed].map(watch);
	socket.close();
	await settled();
	stream.open();
	stream.end(CODES.ok);
	await socket.closed;
	await settled();
	assert.deepEqual(promises.map(({ now }) => now), ['fulfilled', 'fulfilled', 'fulfilled']);
});

test('what is written after close() is refused, not dropped', async () => {
	const { socket, stream } = make();
	const writer = socket.writable.getWriter();
	stream.open();
	await writer.write('a');
	socket.close();
	const promises = [writer.write('late'), writer.close()].map(watch);
	await settled();
	assert.deepEqual(promises.map(({ now, error }) => [now, error?.message]), [['rejected', 'the socket is closed'], ['rejected', 'the socket is closed']]);
	assert.equal(stream.text, 'a');
	assert.equal(stream.handlers.holds(), false);
});

test('connect and close: closed fulfils, opened rejects with aborted', async () => {
	const { socket, stream } = make();
	socket.close();
	assert.deepEqual(stream.calls, ['close']);
	stream.end(CODES.ok, 'given up before it was open');
	await socket.closed;
	await assert.rejects(socket.opened, { code: 'aborted', message: 'h:1: aborted: given up before it was open' });
});

test('abort() does not wait for the write that is under way', async () => {
	const { socket, stream } = make();
	const writer = socket.writable.getWriter();
	const writing = watch(writer.write('x'));
	await settled();
	const aborting = watch(writer.abort());
	await settled();
	assert.ok(stream.calls.includes('reset'));
	assert.deepEqual([aborting.now, writing.now === 'pending'], ['fulfilled', false]);
	assert.equal(stream.handlers.holds(), false);
});

for (const chunk of [new Blob(['hi']), new Response('x'), {}, null, undefined, 5, true, [1, 2]]) {
	test(`a chunk that cannot be sent is a TypeError: ${Object.prototype.toString.call(chunk)}`, async () => {
		const { socket, stream } = make();
		const writer = socket.writable.getWriter();
		stream.open();
		await writer.write('before');
		await assert.rejects(writer.write(/** @type {any} */ (chunk)), (error) => error instanceof TypeError && /cannot be written to a socket/.test(error.message));
		await assert.rejects(writer.write('after'), TypeError);
		assert.equal(stream.text, 'before');
		assert.deepEqual(stream.calls, ['reset'], 'the target sees no clean end');
	});
}

test('a reader brings its own buffer', async () => {
	const { socket, stream } = make();
	stream.open();
	const reader = socket.readable.getReader({ mode: 'byob' });
	const reading = reader.read(new Uint8Array(4));
	stream.handlers.ondata(new Uint8Array([0, 1, 2, 3, 4, 5]).subarray(1));
	assert.deepEqual([...(await reading).value ?? []], [1, 2, 3, 4]);
	assert.deepEqual([...(await reader.read(new Uint8Array(4))).value ?? []], [5]);
	const last = reader.read(new Uint8Array(4));
	stream.handlers.oneof();
	assert.equal((await last).done, true);
});

test('a view of a larger buffer leaves the rest of that buffer alone', async () => {
	const { socket, stream } = make();
	const reader = socket.readable.getReader();
	stream.open();
	const whole = new Uint8Array([1, 2, 3, 4]);
	stream.handlers.ondata(whole.subarray(0, 2));
	stream.handlers.ondata(whole.subarray(2));
	assert.deepEqual([...(await reader.read()).value ?? []], [1, 2]);
	assert.deepEqual([...(await reader.read()).value ?? []], [3, 4]);
});

test('without allowHalfOpen the end of the target is the end of the socket', async () => {
	const { socket, stream } = make({}, { allowHalfOpen: false });
	const writer = socket.writable.getWriter();
	stream.open();
	await writer.write('a');
	stream.handlers.oneof();
	assert.equal((await socket.readable.getReader().read()).done, true);
	assert.deepEqual(stream.calls, ['close']);
	await assert.rejects(writer.write('late'), TypeError);
});

test('a signal ends the socket at each step, and all promises have its reason', async () => {
	const reason = new Error('enough');
	/** @type {[when: string, reach: (stream: import('../fakes/tunnel.js').FakeStream) => void][]} */
	const steps = [['before it is made', () => {}], ['before it is open', () => {}], ['when it is open', (stream) => stream.open()]];
	for (const [when, reach] of steps) {
		const controller = new AbortController();
		if (when === 'before it is made') controller.abort(reason);
		const { socket, stream } = make({}, { signal: controller.signal });
		const opened = watch(socket.opened);
		reach(stream);
		await settled();
		const reading = watch(socket.readable.getReader().read());
		controller.abort(reason);
		assert.ok(stream.calls.includes('reset'), when);
		stream.end(CODES.aborted);
		await assert.rejects(socket.closed, reason, when);
		await settled();
		assert.equal(reading.error, reason, when);
		assert.equal(opened.now, when === 'when it is open' ? 'fulfilled' : 'rejected', when);
	}
});

test('a write that waits rejects with whatever reason the signal has', async () => {
	const controller = new AbortController();
	const { socket, stream } = make({}, { signal: controller.signal });
	const writing = watch(socket.writable.getWriter().write('before it is open'));
	await settled();
	controller.abort(0);
	stream.end(CODES.aborted);
	await settled();
	assert.deepEqual([writing.now, writing.error], ['rejected', 0]);
});

test('close() returns closed, and so does the end of a block with await using', async () => {
	const { socket, stream } = make();
	stream.open();
	const closing = watch(socket.close());
	await settled();
	assert.equal(closing.now, 'pending');
	stream.end(CODES.ok);
	await settled();
	assert.equal(closing.now, 'fulfilled');
	assert.equal(socket.close(), socket.closed);
	if (Symbol.asyncDispose) await socket[Symbol.asyncDispose]();
});

test('the reason of close(): opened and later writes reject with it, closed does not', async () => {
	for (const reason of [new Error('done'), 0, null]) {
		const { socket, stream } = make();
		const writer = socket.writable.getWriter();
		await settled();
		const [opened, written] = [watch(socket.opened), watch(writer.write('last words'))];
		await settled();
		const closing = watch(socket.close(reason));
		await settled();
		assert.deepEqual([opened.now, opened.error, stream.text, written.now], ['rejected', reason, 'last words', 'pending']);
		stream.open();
		await settled();
		assert.equal(written.now, 'fulfilled', 'what was written before is delivered');
		const late = watch(writer.write('more'));
		await settled();
		assert.deepEqual([late.now, late.error], ['rejected', reason]);
		stream.end(CODES.ok);
		await settled();
		assert.equal(closing.now, 'fulfilled');
	}
	const { socket, stream } = make();
	stream.open();
	socket.close('over');
	stream.end(CODES.ok);
	await new Promise((resolve) => { setTimeout(resolve); });
	await assert.rejects(socket.writable.getWriter().closed, (error) => error === 'over');
});

test('an error says what it is in its stack, too', () => {
	const error = new SocketError('h:1', { code: 1, name: 'refused', errno: 14, closeCode: 4001, text: 'nothing listens' });
	assert.match(String(error.stack), /^SocketError: h:1: refused: nothing listens\n/);
	assert.deepEqual([error.name, error.text, Object.keys(error)], ['SocketError', 'nothing listens', ['code', 'errno', 'text']]);
});

test('startTls() hands the stream on behind what was written, once', async () => {
	/** @type {any[]} */
	const handed = [];
	const { socket, stream } = make({}, { secure: /** @type {any} */ ((/** @type {any[]} */ ...args) => void handed.push(args)) });
	const writer = socket.writable.getWriter();
	const written = writer.write('STARTTLS');
	socket.startTls({ sni: 'name' });
	assert.equal(socket.upgraded, true);
	const [[plain, choices]] = handed;
	assert.deepEqual([plain.stream === stream, plain.readable.desiredSize, choices], [true, 1024 * 1024, { sni: 'name' }]);
	let flushed = false;
	plain.sink.finish(() => {
		flushed = true;
	});
	await settled();
	assert.equal(flushed, true);
	stream.open();
	await written;
	await assert.rejects(writer.write('late'), TypeError);
	plain.handlers.ondata = () => handed.push('data');
	stream.handlers.ondata(new Uint8Array(1));
	assert.equal(handed[1], 'data', 'the stream has the new handlers');
	plain.end();
	await socket.closed;
	assert.equal((await socket.readable.getReader().read()).done, true);
	assert.deepEqual(stream.calls, []);
	assert.throws(() => socket.startTls(), TypeError);
	assert.throws(() => make().socket.startTls(), { name: 'TypeError', message: /secureTransport is not "starttls"/ });
});

test('what is no target is refused where it is given', () => {
	assert.deepEqual(targetFrom('db.example', 5432), { host: 'db.example', port: 5432 });
	assert.deepEqual(targetFrom('::1', '80'), { host: '::1', port: 80 });
	assert.deepEqual(targetFrom('[::1]', 80), { host: '::1', port: 80 });
	assert.deepEqual(targetFrom('bücher.example', 80), { host: 'xn--bcher-kva.example', port: 80 });
	assert.deepEqual(targetFrom('a b', 80), { host: 'a b', port: 80 }, 'the socket says what is wrong with a name');
	/** @type {[host: unknown, port: unknown, says: RegExp][]} */
	const cases = [
		[undefined, 80, /^undefined: .*host/], ['', 80, /^"": .*host/], [null, 80, /^null: .*host/], [{ hostname: 'h', port: 1 }, undefined, /^\[object Object\]: .*host/],
		['h', 'x', /port "x"/], ['h', undefined, /port undefined/], ['h', NaN, /port NaN/], ['h', 1.5, /port 1\.5/], ['h', null, /port null/],
		['h', 0, /port 0/], ['h', 65536, /port 65536/], ['h', -1, /port -1/],
	];
	for (const [host, port, says] of cases) {
		assert.throws(() => targetFrom(host, port), (/** @type {any} */ error) => error instanceof SocketError && error instanceof TypeError && error.code === 'invalid_request' && says.test(error.message));
	}
});

test('an address in one part', () => {
	assert.deepEqual(targetOf('db.example:5432'), { host: 'db.example', port: 5432 });
	assert.deepEqual(targetOf('[2001:db8::7]:443'), { host: '2001:db8::7', port: 443 });
	assert.deepEqual(targetOf({ hostname: '2001:db8::7', port: 443 }), { host: '2001:db8::7', port: 443 });
	assert.deepEqual(targetOf({ hostname: 'DB_1.Example', port: '80' }), { host: 'db_1.example', port: 80 });
	for (const address of ['db.example', ':80', '2001:db8::7', '2001:db8::7:443', 'h:0', 'h:65536', 'h:1.5', 'a b:80', 'u@h:80', 'h/x:80', {}, { hostname: '', port: 1 }, { hostname: 'h' }, null, undefined, 5]) {
		assert.throws(() => targetOf(address), (/** @type {any} */ error) => error instanceof SocketError && error instanceof TypeError && error.code === 'invalid_request' && error.errno === 28, String(address));
	}
});
