import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Boundary } from '../../src/engine/boundary.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { UNLIMITED } from '../../src/wire/generated/limit.js';
import { text } from '../../src/wire/events.js';
import * as EVENT from '../../src/wire/generated/event.js';
import { FakeProgram } from '../fakes/program.js';
import { settled } from '../fakes/tunnel.js';

function make() {
	const program = new FakeProgram();
	/** @type {unknown[]} */
	const failures = [];
	const boundary = new Boundary(program.exports, () => void program.resumes++, (error) => failures.push(error));
	return { program, boundary, failures };
}

test('calls carry numbers and bytes', () => {
	const { program, boundary } = make();
	boundary.configure({ url: 'wss://h/v1/connect', agent: 'x/1' });
	boundary.setToken('secret');
	boundary.open(7, { kind: KIND.tcp, host: 'bücher', port: 80 });
	boundary.open(8, { kind: KIND.tcp, host: 'h', port: 1, timeoutMs: 1.2, optimistic: true, window: 10 });
	boundary.write(7, new Uint8Array([104, 105]));
	boundary.closeWrite(7);
	boundary.stop(7);
	boundary.grant(7, 2 ** 40);
	boundary.reset(7, 8);
	assert.deepEqual(program.calls, [
		['configure', 'wss://h/v1/connect\0x/1'],
		['setToken', 'secret'],
		['streamOpen', 7, KIND.tcp, 80, 0, 0, 0, UNLIMITED, 7, Buffer.from('bücher').toString('latin1')],
		['streamOpen', 8, KIND.tcp, 1, 0, 2, 1, 10, 1, 'h'],
		['streamWrite', 7, 'hi'],
		['streamCloseWrite', 7],
		['streamStop', 7],
		['streamGrant', 7, 0xffffffff],
		['streamReset', 7, 8],
	]);
});

test('a request tells its kind, its family and socket options; options can change', () => {
	const { program, boundary } = make();
	boundary.open(1, { kind: KIND.resolve, host: 'h', port: 0, family: 6 });
	boundary.open(2, { kind: KIND.tcp, host: 'h', port: 1, socketOptions: { noDelay: false, keepAlive: true, keepIdle: 300 } });
	boundary.setSocketOptions(2, { keepInterval: 2 ** 40, keepCount: NaN });
	assert.deepEqual(program.calls, [
		['streamOpen', 1, KIND.resolve, 0, 6, 0, 0, UNLIMITED, 1, 'h'],
		['streamOpen', 2, KIND.tcp, 1, 0, 0, 0, UNLIMITED, 1, 'h\x01\0\0\0\0\x02\0\0\0\x01\x03\0\0\x01\x2c'],
		['streamSocketOptions', 2, '\x04\xff\xff\xff\xff\x05\0\0\0\0'],
	]);
});

test('many calls cost one run of the goroutines; a message runs them at once', async () => {
	const { program, boundary } = make();
	boundary.open(1, { kind: KIND.tcp, host: 'h', port: 1 });
	boundary.write(1, new Uint8Array(3));
	assert.equal(program.resumes, 0);
	await settled();
	assert.equal(program.resumes, 1);
	boundary.carrierMessage(1, new Uint8Array([65]));
	assert.equal(program.resumes, 2);
	assert.deepEqual(program.calls.at(-1), ['carrierMessage', 1, 'A']);
});

test('bytes arrive whole when the memory grows under them', () => {
	const { program, boundary } = make();
	boundary.write(1, new Uint8Array([1]));
	boundary.write(1, new Uint8Array(200_000).fill(65));
	assert.equal(program.calls[1][2], 'A'.repeat(200_000));
});

test('an event is read with data of its own', () => {
	const { program, boundary } = make();
	program.events.push({ kind: EVENT.data, id: 5, a: 1, b: 2, text: 'first' }, { kind: EVENT.eof, id: 5 });
	const event = boundary.nextEvent();
	assert.deepEqual({ ...event, data: text(event?.data ?? new Uint8Array()) }, { kind: EVENT.data, id: 5, a: 1, b: 2, data: 'first' });
	assert.deepEqual(boundary.nextEvent(), { kind: EVENT.eof, id: 5, a: 0, b: 0, data: new Uint8Array(0) });
	assert.equal(text(event?.data ?? new Uint8Array()), 'first');
	assert.equal(boundary.nextEvent(), null);
});

test('goroutines run after an event for which some have waited, and after no other', async () => {
	const { program, boundary } = make();
	program.events.push({ kind: EVENT.eof, id: 5 }, { kind: EVENT.eof, id: 6, stirs: true });
	boundary.nextEvent();
	await settled();
	assert.equal(program.resumes, 0);
	boundary.nextEvent();
	await settled();
	assert.equal(program.resumes, 1);
});

test('a bare message is the data of its event, uncopied', () => {
	const { program, boundary } = make();
	const body = new Uint8Array([65, 66, 67]).buffer;
	boundary.carrierBody(2, body);
	assert.deepEqual([program.calls, program.resumes], [[['carrierBody', 2, 1, 3]], 1]);
	program.events.push({ kind: EVENT.data, id: 5, a: 1 }, { kind: EVENT.data, id: 5, a: 1 });
	assert.equal(boundary.nextEvent()?.data.buffer, body);
	assert.equal(boundary.nextEvent()?.data.length, 0, 'it is given once');
});

test('Go may copy a part of a bare message, and drop it', () => {
	const { program, boundary } = make();
	boundary.carrierBody(2, new Uint8Array([65, 66, 67]).buffer);
	boundary.carrierBody(2, new Uint8Array([68]).buffer);
	const { pointer } = program.put('....');
	boundary.copyBody(1, 1, pointer + 1, 2);
	assert.equal(text(boundary.borrow(pointer, 4)), '.BC.');
	boundary.dropBody(1);
	boundary.copyBody(1, 0, pointer, 3);
	assert.equal(text(boundary.borrow(pointer, 4)), '.BC.', 'it is gone');
	program.events.push({ kind: EVENT.data, id: 5, a: 2 });
	assert.equal(text(boundary.nextEvent()?.data ?? new Uint8Array()), 'D');
});

test('stats have names, and null where nothing was measured', () => {
	const { program, boundary } = make();
	assert.equal(boundary.stats(), null);
	program.figures = { rtt: 1500, unacknowledged: 9 };
	assert.deepEqual(boundary.stats(), { rttMs: 1.5, unacknowledged: 9 });
	program.figures = { rtt: 0, unacknowledged: 0 };
	assert.deepEqual(boundary.stats(), { rttMs: null, unacknowledged: 0 });
});

test('a call that fails is told once, and the boundary is dead', async () => {
	const { program, boundary, failures } = make();
	const error = new Error('unreachable');
	program.error = error;
	boundary.write(1, new Uint8Array(1));
	boundary.write(1, new Uint8Array(1));
	assert.equal(boundary.nextEvent(), null);
	await settled();
	assert.deepEqual([failures, program.calls, program.resumes], [[error], [], 0]);
});
