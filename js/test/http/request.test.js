import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestFrom } from '../../src/http/request.js';

const scope = { navigator: { languages: ['de', 'en'], userAgent: 'agent' } };

/** @param {any} init @param {any} [input] */
const read = async (init, input = 'https://h/') => {
	const { outgoing } = await requestFrom(input, init, scope);
	return { ...outgoing, text: outgoing.body && await new Response(outgoing.body.stream).text() };
};

test('what a browser adds, once', async () => {
	const { headers } = await read({});
	assert.deepEqual(Object.fromEntries(headers), { accept: '*/*', 'accept-encoding': 'gzip, deflate, br, zstd', 'accept-language': 'de,en;q=0.9', 'user-agent': 'agent' });
	const own = await read({ headers: { Accept: 'text/x', 'Accept-Language': 'fr', 'User-Agent': 'mine', Range: 'bytes=0-1' } });
	assert.deepEqual(Object.fromEntries(own.headers), { accept: 'text/x', 'accept-encoding': 'identity', 'accept-language': 'fr', range: 'bytes=0-1', 'user-agent': 'mine' });
	assert.equal((await requestFrom('https://h/', {}, {})).outgoing.headers.get('user-agent'), 'sockmux');
});

test('bodies: lengths, and which can be sent again', async () => {
	for (const [body, length] of /** @type {[any, number][]} */ ([['text', 4], [new Blob(['blob!']), 5], [new Uint8Array(3), 3], [new URLSearchParams('a=b'), 3], ['', 0]])) {
		const out = await read({ method: 'POST', body });
		assert.deepEqual([out.body?.length, out.text?.length], [length, length]);
		assert.equal((await new Response(out.body?.again?.().stream).text()).length, length);
	}
	const streamed = await read({ method: 'POST', body: new Response('stream').body, duplex: 'half' });
	assert.deepEqual([streamed.body?.length, streamed.body?.again, streamed.text], [-1, null, 'stream']);
	assert.equal((await read({})).body, null);
});

test('the body of a Request: whole where it is there, a stream where it is long or slow', async () => {
	const whole = await read(undefined, new Request('https://h/', { method: 'POST', body: 'in a Request' }));
	assert.deepEqual([whole.body?.length, whole.text], [12, 'in a Request']);
	const long = await read(undefined, new Request('https://h/', { method: 'POST', body: 'x'.repeat(3_000_000) }));
	assert.deepEqual([long.body?.again === null ? -1 : 3_000_000, long.text?.length], [long.body?.length, 3_000_000]);
	/** @type {ReadableStreamDefaultController<any> | undefined} */
	let controller;
	const slow = new ReadableStream({
		start(made) {
			controller = made;
			made.enqueue(new TextEncoder().encode('first '));
		},
	});
	const { outgoing } = await requestFrom(new Request('https://h/', /** @type {any} */ ({ method: 'POST', body: slow, duplex: 'half' })), undefined, scope);
	assert.equal(outgoing.body?.length, -1);
	controller?.enqueue(new TextEncoder().encode('last'));
	controller?.close();
	assert.equal(await new Response(outgoing.body?.stream).text(), 'first last');
});

test('wrong options are TypeErrors', async () => {
	for (const init of [{ sockmux: { other: 1 } }, { sockmux: 'x' }, { method: 'A B' }, { method: 'GET', body: 'x' }]) await assert.rejects(requestFrom('https://h/', init, scope), TypeError);
	await assert.rejects(requestFrom('https://u:p@h/', {}, scope), TypeError);
});
