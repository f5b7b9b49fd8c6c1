import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAD_LENGTH_BYTES, openExchange } from '../../src/blocking/exchange.js';
import { IN_BYTES } from '../../src/blocking/layout.js';

const REQUEST = { url: 'http://a.test/', headers: [] };

/** Opens a stream and keeps what it tells. @param {Parameters<typeof openExchange>[0]} fetch */
function open(fetch) {
	/** @type {string[]} */
	const told = [];
	/** @type {Buffer[]} */
	const pieces = [];
	const { promise, resolve } = later();
	const stream = openExchange(fetch, /** @type {any} */ (REQUEST), {
		onopen: () => void told.push('open'),
		ondata: (bytes) => void pieces.push(Buffer.from(bytes)),
		oneof: () => void told.push('eof'),
		onclose: ({ name, text }) => {
			told.push(text ? `${name}: ${text}` : name);
			resolve(undefined);
		},
	});
	return { stream, told, pieces, closed: promise, bytes: () => Buffer.concat(pieces) };
}

function later() {
	/** @type {(value: unknown) => void} */
	let resolve = () => {};
	const promise = new Promise((done) => { resolve = done; });
	return { promise, resolve };
}

test('gives the head behind its length, then the body, then the end', async () => {
	const { told, closed, bytes } = open(async () => new Response('body', { status: 404, headers: { 'x-a': 'b' } }));
	await closed;
	const length = bytes().readUInt32BE(0);
	const head = JSON.parse(bytes().subarray(HEAD_LENGTH_BYTES, HEAD_LENGTH_BYTES + length).toString());
	assert.deepEqual([head.status, new Map(head.headers).get('x-a')], [404, 'b']);
	assert.equal(bytes().subarray(HEAD_LENGTH_BYTES + length).toString(), 'body');
	assert.deepEqual(told, ['open', 'eof', 'ok']);
});

test('an error is the reason of fetch(), or its text', async () => {
	const why = Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('a.test:80: refused'), { code: 'refused', text: 'nothing listens' }) });
	const refused = open(async () => { throw why; });
	await refused.closed;
	assert.deepEqual(refused.told, ['refused: nothing listens']);
	const other = open(async () => { throw new TypeError('what is this'); });
	await other.closed;
	assert.deepEqual(other.told, ['aborted: what is this']);
});

test('reads no more than the worker has room for', async () => {
	const piece = new Uint8Array(IN_BYTES);
	let pulled = 0;
	const body = () => new ReadableStream({
		pull(controller) {
			if (pulled === 8) return controller.close();
			pulled++;
			return controller.enqueue(piece.slice());
		},
	}, { highWaterMark: 0 });
	const { stream, closed, bytes, pieces } = open(async () => new Response(body()));
	while (pieces.length < 2) await new Promise((resolve) => { setImmediate(resolve); });
	for (let i = 0; i < 20; i++) await new Promise((resolve) => { setImmediate(resolve); });
	assert.ok(pulled <= 2, `${pulled} pieces were read before any was granted`);
	stream.grant(16 * IN_BYTES);
	await closed;
	assert.ok(bytes().length > 8 * IN_BYTES);
});

test('close() ends the exchange, and nothing is told any more', async () => {
	/** @type {AbortSignal | undefined} */
	let given;
	const { stream, told } = open((_, signal) => {
		given = signal;
		return new Promise((_resolve, reject) => {
			signal.addEventListener('abort', () => reject(signal.reason));
		});
	});
	stream.close();
	await new Promise((resolve) => { setImmediate(resolve); });
	assert.deepEqual([given?.aborted, told], [true, []]);
});
