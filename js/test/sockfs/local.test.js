import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalConnector } from '../../src/sockfs/local.js';
import { createOpener } from '../../src/sockfs/opener.js';
import * as CODES from '../../src/wire/generated/code.js';
import { FakeTunnel } from '../fakes/tunnel.js';

function start() {
	const tunnel = new FakeTunnel();
	/** @type {string[]} */
	const reports = [];
	const connector = new LocalConnector((request, handlers) => tunnel.open(request, handlers), (text) => reports.push(text));
	/** @type {string[]} */
	const events = [];
	const socket = connector.connect({ host: 'a.test', port: 80 }, (event) => events.push(event));
	return { tunnel, reports, connector, events, socket, stream: tunnel.streams[0] };
}

const MEGABYTE = 1 << 20;

test('opens a stream with a window and tells of each change', () => {
	const { socket, stream, events } = start();
	assert.deepEqual(stream.request, { host: 'a.test', port: 80, window: MEGABYTE });
	assert.equal(socket.state, 'connecting');
	stream.handlers.onopen({ bound: { addr: '10.0.0.1', port: 5 }, remote: { addr: '10.0.0.2', port: 80 } });
	assert.equal(socket.state, 'open');
	assert.deepEqual(socket.local, { addr: '10.0.0.1', port: 5 });
	stream.handlers.ondata(Buffer.from('abc'));
	stream.handlers.ondata(Buffer.from('def'));
	stream.handlers.oneof();
	stream.end(CODES.ok);
	assert.deepEqual(events, ['open', 'message', 'message', 'close', 'end']);
	assert.equal(socket.available, 6);
	assert.equal(socket.eof, false);
	assert.equal(Buffer.from(socket.peek(4) ?? []).toString(), 'abcd');
	assert.equal(Buffer.from(socket.recv(4) ?? []).toString(), 'abcd');
	assert.equal(Buffer.from(socket.recv(100) ?? []).toString(), 'ef');
	assert.equal(socket.recv(1), null);
	assert.equal(socket.eof, true);
});

test('what the program has taken is granted again, in large pieces', () => {
	const { socket, stream } = start();
	stream.handlers.ondata(new Uint8Array(MEGABYTE));
	socket.recv(1000);
	assert.equal(stream.calls.length, 0);
	while (socket.available > 0) socket.recv(100_000);
	const granted = stream.calls.map((call) => Number(call.split(' ')[1]));
	assert.ok(granted.every((bytes) => bytes >= MEGABYTE / 4));
	assert.ok(granted.reduce((a, b) => a + b) > MEGABYTE * 0.7);
});

test('takes no more than there is room for until it has left', () => {
	const { socket, stream } = start();
	const { room } = socket;
	assert.equal(socket.send(new Uint8Array(room + 5)), room);
	assert.equal(socket.room, 0);
	assert.equal(socket.send(new Uint8Array(5)), 0);
	assert.equal(socket.send(new Uint8Array(5), true), 5, 'unless it must');
	stream.handlers.onwritten(105);
	assert.equal(socket.room, 100);
});

test('an error waits behind what arrived before it, and is told once', () => {
	const { socket, stream, events, reports } = start();
	stream.open();
	stream.handlers.ondata(Buffer.from('x'));
	stream.end(CODES.reset, 'gone');
	assert.equal(socket.state, 'closed');
	assert.equal(socket.error, 0);
	socket.recv(1);
	assert.equal(socket.error, 15);
	assert.equal(socket.errorText, 'gone');
	socket.clearError();
	assert.equal(socket.error, 0);
	assert.deepEqual(events, ['open', 'message', 'error', 'close']);
	assert.deepEqual(reports, []);
});

test('a connection that never came about is reported', () => {
	const { socket, stream, reports } = start();
	stream.end(CODES.refused, 'nobody listens');
	assert.equal(socket.error, 14);
	assert.deepEqual(reports, ['connection to a.test:80 failed: refused: nobody listens']);
});

test('shutdown and close', () => {
	const { socket, stream, events, reports } = start();
	socket.shutdown(1);
	socket.shutdown(0);
	socket.shutdown(2);
	assert.deepEqual(stream.calls, ['closeWrite', 'stop', 'stop', 'closeWrite']);
	socket.close();
	socket.close();
	assert.deepEqual(stream.calls.slice(4), ['close']);
	stream.end(CODES.aborted, 'given up');
	assert.deepEqual(events, [], 'the program has forgotten it');
	assert.deepEqual(reports, []);
});

test('the connector ends with all its sockets', () => {
	const { connector, stream } = start();
	connector.close();
	assert.deepEqual(stream.calls, ['close']);
	assert.equal(connector.alive, false);
	assert.throws(() => connector.wait(), /cannot wait/);
});

test('the opener asks the rule with the URL that SOCKFS would have used', () => {
	const tunnel = new FakeTunnel();
	/** @type {unknown[]} */
	const asked = [];
	/** @type {string[]} */
	const native = [];
	const open = createOpener({
		tunnel,
		rule(url, protocols) {
			asked.push([url, protocols]);
			return `${url}`.includes('own') ? null : { host: 'changed', port: 7 };
		},
		openNative: (url, handlers) => {
			native.push(url);
			return tunnel.open({ host: 'native' }, handlers);
		},
		timeoutMs: 5000,
	});
	open({ host: '[2001:db8::1]', port: 443, window: 9 }, {});
	open({ host: 'own.test', port: 80 }, {});
	open({ host: 'evil.test/own', port: 80 }, {});
	assert.deepEqual(asked, [['wss://[2001:db8::1]:443/', 'binary'], ['wss://own.test:80/', 'binary']]);
	assert.deepEqual(tunnel.streams.map(({ request }) => request), [
		{ timeoutMs: 5000, host: 'changed', port: 7, window: 9, quiet: true }, // the layer has its own words for failures
		{ host: 'native' },
		{ host: 'evil.test/own', port: 80, quiet: true }, // the tunnel knows what is wrong with it
	]);
	assert.deepEqual(native, ['wss://own.test:80/']);
});

test('tells once when there is room again, and of every change', () => {
	const { connector, socket, stream, events } = start();
	let changes = 0;
	const stop = connector.onchange(() => void changes++);
	stream.open();
	assert.equal(changes, 1);
	const limit = socket.room;
	socket.send(new Uint8Array(limit));
	assert.equal(socket.writable, false);
	stream.handlers.onwritten(limit / 4);
	assert.equal(socket.writable, false, 'a quarter is too little for poll()');
	assert.ok(socket.room > 0, 'but not for send()');
	stream.handlers.onwritten(limit / 4);
	stream.handlers.onwritten(limit / 4);
	assert.deepEqual(events, ['open', 'room']);
	assert.equal(changes, 2);
	stream.handlers.oneof();
	stream.end(CODES.ok);
	assert.equal(changes, 4, 'the end of all is a change also after the FIN');
	stop();
	socket.close();
	assert.equal(changes, 4);
});

test('hands options and a reset on to the stream', () => {
	const { connector, tunnel } = start();
	const socket = connector.connect({ host: 'a.test', port: 80, socketOptions: { noDelay: true } });
	assert.deepEqual(tunnel.streams[1].request.socketOptions, { noDelay: true });
	socket.reset?.();
	socket.close();
	assert.deepEqual(tunnel.streams[1].calls, ['reset']);
});
