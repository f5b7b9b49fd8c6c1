import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openMessages } from '../../src/facade/messages.js';
import * as CODES from '../../src/wire/generated/code.js';
import { FakeTunnel } from '../fakes/tunnel.js';

/** @type {{ valid: { hex: string, reads: string[] }[] }} */
const { valid } = JSON.parse(readFileSync(new URL('../../../shared/message/testdata/vectors.json', import.meta.url), 'utf8'));

const REQUEST = { host: 'h', port: 443, secure: true, resource: '/chat?room=1', protocols: ['a', 'b.c'] };

function make(request = /** @type {import('../../src/facade/messages.js').MessagesRequest} */ (REQUEST)) {
	const tunnel = new FakeTunnel();
	/** @type {unknown[][]} */
	const told = [];
	/** @param {string} name */
	const note = (name) => (/** @type {unknown[]} */ ...args) => void told.push([name, ...args]);
	const line = openMessages(tunnel, request, { onopen: note('open'), ondata: note('data'), onwritten: note('written'), onclose: note('close') });
	const [stream] = tunnel.streams;
	return { line, stream, told, sent: () => Buffer.concat(stream.written).toString('hex') };
}

test('what is sent is what the vectors have', () => {
	const { line, stream, sent } = make();
	line.write(Buffer.from('hi'), true);
	line.write(new Uint8Array([0, 255]));
	line.close({ code: 1000, reason: 'bye', coded: true });
	assert.equal(sent(), valid[1].hex);
	assert.equal(stream.calls.at(-1), 'closeWrite');
	const own = make({ ...REQUEST, resource: '/', protocols: ['a'], fields: [['Authorization', 'Bearer x y'], ['x-empty', ''], ['Cookie', 'a=é']] });
	assert.equal(own.sent(), valid[5].hex);
	assert.equal(make({ ...REQUEST, secure: false, resource: '/', protocols: [], fields: [] }).sent(), valid[4].hex);
	const bare = make({ ...REQUEST, secure: false, resource: '/', protocols: [] });
	bare.line.close({ code: 1000, reason: '', coded: false });
	assert.equal(bare.sent(), `${valid[0].hex}8800000000`);
});

test('messages come whole, whatever the pieces, and the close frame with the end', () => {
	const bytes = Buffer.from('0162' + '8100000002c3a4' + '0200000001ff' + '0000000000' + '800000000201fe' + '8100000000' + '880000000503e9627965', 'hex');
	for (const size of [1, 4, bytes.length]) {
		const { stream, told } = make();
		for (let at = 0; at < bytes.length; at += size) stream.handlers.ondata(new Uint8Array(bytes.subarray(at, at + size)));
		assert.deepEqual(told[0], ['open', { protocol: 'b' }]);
		assert.deepEqual(told.slice(1).map(([, message]) => { const m = /** @type {any} */ (message); return m.text ?? [...m]; }), ['ä', [255, 1, 254], '']);
		stream.handlers.oneof();
		assert.equal(stream.calls.at(-1), 'close');
		stream.end(CODES.ok);
		const [name, why] = /** @type {any} */ (told.at(-1));
		assert.deepEqual([name, why.code, why.frame], ['close', 0, { code: 1001, reason: 'bye' }]);
	}
});

test('a close frame in the midst of a message has its own code', () => {
	const { stream, told } = make();
	stream.handlers.ondata(new Uint8Array(Buffer.from('00' + '010000000161' + '880000000203e9', 'hex')));
	stream.handlers.oneof();
	stream.end(CODES.ok);
	assert.deepEqual(/** @type {any} */ (told.at(-1))[1].frame, { code: 1001, reason: '' });
});

test('a message may have as many bytes as it was told, whatever its pieces', () => {
	for (const [hex, refused] of /** @type {const} */ ([['8200000003010203', false], ['0200000002010280000000010300', false], ['820000000401020304', true], ['02000000020102800000000203', true]])) {
		const { stream, told, sent } = make({ ...REQUEST, maxBytes: 3 });
		stream.handlers.ondata(new Uint8Array(Buffer.from(`00${hex}`, 'hex')));
		assert.equal(told.at(-1)?.[0], refused ? 'close' : 'data', hex);
		assert.equal(sent().endsWith(Buffer.from('\x03\xf1A message was too large', 'latin1').toString('hex')), refused);
	}
});

test('messages behind the own close are dropped, unless they are asked for', () => {
	for (const late of [false, true]) {
		const { stream, line, told } = make({ ...REQUEST, late });
		stream.handlers.ondata(new Uint8Array([0]));
		line.close();
		stream.handlers.ondata(new Uint8Array(Buffer.from('810000000161', 'hex')));
		assert.equal(told.at(-1)?.[0], late ? 'data' : 'open');
	}
});

test('an end without a close frame is 1006: before the open an error, behind it a loss', () => {
	for (const open of [false, true]) {
		const { stream, told } = make();
		if (open) stream.handlers.ondata(new Uint8Array([0]));
		stream.end(CODES.ok);
		const [, why] = /** @type {any} */ (told.at(-1));
		assert.deepEqual([why.closeCode, why.lost, why.code], [1006, open, CODES.reset]);
	}
});

test('a text that is no UTF-8 ends it, and the target gets a close frame', () => {
	const { stream, told, sent } = make();
	stream.handlers.ondata(Uint8Array.from([0, 0x81, 0, 0, 0, 1, 0xff]));
	const [, why] = /** @type {any} */ (told.at(-1));
	assert.equal(why.closeCode, 1006);
	assert.ok(sent().endsWith(`03ea${Buffer.from('Invalid UTF-8 in text frame').toString('hex')}`));
});

test('onwritten counts payload, and bytes are granted when the program has taken them', () => {
	const { line, stream, told } = make();
	const opening = Buffer.concat(stream.written).length;
	line.write(new Uint8Array(10));
	stream.handlers.onwritten(opening + 5 + 4);
	stream.handlers.onwritten(6);
	assert.deepEqual(told, [['written', 4], ['written', 6]]);
	const granted = () => stream.calls.filter((call) => call.startsWith('grant')).reduce((sum, call) => sum + Number(call.slice(6)), 0);
	const size = 3 * 2 ** 20;
	stream.handlers.ondata(Uint8Array.from([0, 0x82, 0, 0x30, 0, 0]));
	stream.handlers.ondata(new Uint8Array(size - 1));
	assert.equal(granted(), size + 5, 'a message that is not whole needs room');
	stream.handlers.ondata(new Uint8Array(1));
	stream.handlers.ondata(Uint8Array.from([0x82, 0, 0x30, 0, 0]));
	stream.handlers.ondata(new Uint8Array(size));
	const before = granted();
	stream.handlers.ondata(Uint8Array.from([0x82, 0, 0x10, 0, 0]));
	stream.handlers.ondata(new Uint8Array(2 ** 20));
	assert.equal(granted(), before, 'what waits for the program is not granted');
	line.grant(2 * size);
	line.grant(2 ** 20);
	assert.ok(granted() > before);
	line.close();
	stream.handlers.ondata(Uint8Array.from([0x82, 0, 0x10, 0, 0]));
	stream.handlers.ondata(new Uint8Array(2 ** 20));
	assert.equal(told.filter(([name]) => name === 'data').length, 3, 'what comes behind close() is dropped');
});
