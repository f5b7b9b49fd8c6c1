import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeError, byPage } from '../../../src/webr/urls/exchange.js';

const WANTED = { url: 'http://a.test/', headers: /** @type {[string, string][]} */ ([['X-A', 'b']]), timeoutMs: Infinity };

/** An answer as the page gives it. @param {object} head @param {string} [body] */
function encoded(head, body = '') {
	const text = Buffer.from(JSON.stringify(head));
	const length = Buffer.alloc(4);
	length.writeUInt32BE(text.length);
	return Buffer.concat([length, text, Buffer.from(body)]);
}

/**
 * Makes the exchange over a socket that gives these pieces, one for each wait.
 * @param {Buffer[]} pieces
 * @param {{ error?: string, wanted?: typeof WANTED }} [options]
 */
function make(pieces, { error = '', wanted = WANTED } = {}) {
	/** @type {any[]} */
	const asked = [];
	/** @type {number[]} */
	const counts = [];
	const left = [...pieces];
	/** @type {Buffer | undefined} */
	let next;
	let closed = 0;
	const socket = {
		recv() {
			const bytes = next ?? null;
			next = undefined;
			return bytes;
		},
		get eof() {
			return left.length === 0 && !next;
		},
		error: error ? 14 : 0,
		errorText: error,
		close: () => void closed++,
	};
	const connector = /** @type {any} */ ({ exchange: (/** @type {any} */ request) => asked.push(request) && socket });
	const run = () => byPage(connector, wanted, { wait: () => void (next = left.shift()), onhead: ({ status }) => void counts.push(status), onbytes: (count) => void counts.push(count) });
	return { run, asked, counts, closed: () => closed };
}

test('an answer may come in pieces of any size', () => {
	const whole = encoded({ status: 200, url: 'http://a.test/', headers: [] }, 'body');
	for (const size of [1, 3, 7, whole.length]) {
		const pieces = [];
		for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
		const { run, asked, counts, closed } = make(pieces);
		const answer = run();
		assert.equal(answer?.status, 200);
		assert.equal(Buffer.from(answer?.body ?? '').toString(), 'body');
		assert.deepEqual(asked, [{ url: WANTED.url, headers: WANTED.headers, roots: undefined }]);
		assert.deepEqual([counts[0], counts.at(-1), closed()], [200, 4, 1]);
	}
});

test('an end without a head is no answer', () => {
	assert.throws(make([]).run, (/** @type {any} */ error) => error instanceof ExchangeError && error.code === 'aborted');
});

test('an error behind the beginning is no answer', () => {
	const { run, closed } = make([encoded({ status: 200, headers: [] }, 'ha')], { error: 'reset: the target has cut it' });
	assert.throws(run, (/** @type {any} */ error) => error instanceof ExchangeError && error.code === 'reset' && error.text === 'the target has cut it');
	assert.equal(closed(), 1);
});

test('an answer that takes too long is given up', () => {
	const { run, closed } = make([Buffer.alloc(0), Buffer.alloc(0)], { wanted: { ...WANTED, timeoutMs: 0 } });
	assert.throws(run, (/** @type {any} */ error) => error.code === 'timeout');
	assert.equal(closed(), 1);
});
