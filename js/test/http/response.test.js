import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHead, hasNoBody, responseOf } from '../../src/http/response.js';

const failed = () => null;
const about = { url: 'https://h/p#part', redirected: true, allHeaders: false };

test('heads are read byte by byte', () => {
	assert.deepEqual(decodeHead(Buffer.from('200\0Gr\xfcn\0A\0b\0A\0\xe9', 'latin1')), { status: 200, reason: 'Grün', headers: [['A', 'b'], ['A', 'é']] });
	assert.deepEqual(decodeHead(Buffer.from('404\0')), { status: 404, reason: '', headers: [] });
	assert.equal(decodeHead(Buffer.from(`200\0\0A\0${'x'.repeat(200_000)}`)).headers[0][1].length, 200_000);
});

test('a Response with what its constructor does not take', async () => {
	const response = responseOf({ status: 201, reason: 'Made', headers: [['X-A', '1'], ['X-A', '2'], ['bad name', 'x'], ['Set-Cookie', 'a=1']], body: 'body', failed }, about);
	assert.ok(response instanceof Response);
	const { status, statusText, ok, url, redirected, type } = response;
	assert.deepEqual({ status, statusText, ok, url, redirected, type }, { status: 201, statusText: 'Made', ok: true, url: 'https://h/p', redirected: true, type: 'basic' });
	assert.deepEqual([response.headers.get('x-a'), response.headers.getSetCookie()], ['1, 2', []]);
	const clone = response.clone();
	assert.deepEqual([clone.url, await clone.text(), await response.text()], ['https://h/p', 'body', 'body']);
});

test('all headers, strange statuses and reasons', () => {
	const cookies = responseOf({ status: 200, reason: 'ok', headers: [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']], body: null, failed }, { ...about, allHeaders: true });
	assert.deepEqual([cookies.headers.getSetCookie(), cookies.clone().headers.getSetCookie()], [['a=1', 'b=2'], ['a=1', 'b=2']]);
	const strange = responseOf({ status: 999, reason: 'Strange', headers: [], body: null, failed }, about);
	assert.deepEqual([strange.status, strange.statusText, strange.ok], [999, 'Strange', false]);
	assert.equal(responseOf({ status: 200, reason: 'a\nb', headers: [], body: null, failed }, about).statusText, '');
	assert.deepEqual([hasNoBody('HEAD', 200), hasNoBody('GET', 204), hasNoBody('GET', 304), hasNoBody('GET', 200)], [true, true, true, false]);
});

test('a body that fails rejects with what it has failed with', async () => {
	const error = new TypeError('the reason');
	const body = new ReadableStream({ start: (controller) => controller.error(new Error('another')) });
	const response = responseOf({ status: 200, reason: '', headers: [], body, failed: () => ({ error }) }, about);
	await assert.rejects(response.text(), error);
});
