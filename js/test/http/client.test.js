import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../../src/http/client.js';
import { exchange } from '../../src/http/exchange.js';
import { secureOf } from '../../src/http/secure.js';
import * as CODES from '../../src/wire/generated/code.js';
import * as EVENT from '../../src/wire/generated/event.js';
import * as MESSAGE from '../../src/wire/generated/https.js';
import { FakeStream, settled } from '../fakes/tunnel.js';

const TLS = { roots: '', onlyRoots: false, pins: [] };
const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const text = (/** @type {Uint8Array | null} */ data) => new TextDecoder().decode(data ?? undefined);

/** A client whose program the test plays. @param {{ restMs?: number }} [options] */
function make(options = {}) {
	/** @type {any[]} */
	const got = [];
	/** @type {FakeStream[]} */
	const streams = [];
	/** @type {any} */
	const port = { postMessage: (/** @type {any} */ { messages }) => void got.push(...messages) };
	const calls = { starts: 0, stops: 0 };
	/** @type {{ error: Error | null }} */
	const next = { error: null };
	const tunnel = /** @type {any} */ ({
		open(/** @type {any} */ request, /** @type {any} */ handlers) {
			const stream = Object.assign(new FakeStream(request, handlers), { ends: { bound: null, remote: null } });
			streams.push(stream);
			return stream;
		},
	});
	const client = new Client({
		tunnel, ...options,
		async start() {
			calls.starts++;
			if (next.error) throw next.error;
			return { port, stop: () => void calls.stops++ };
		},
	});
	const tell = (/** @type {any[]} */ ...message) => port.onmessage({ data: { messages: [message] } });
	const take = async () => {
		await settled();
		return got.splice(0).map(([kind, id, number, data]) => [kind, id, number, text(data)]);
	};
	/** @param {any} [more] */
	const ask = (more) => exchange(client, { url: 'https://h/p#x', method: 'GET', headers: new Headers({ a: 'b' }), body: null, tls: TLS, ...more }, { signal: new AbortController().signal, failed: ({ name, text: why }) => new Error(`${name}: ${why}`), ...more });
	return { client, tunnel, port, streams, calls, next, tell, take, ask };
}

test('a request and its answer', async () => {
	const { tell, take, ask } = make();
	const answer = ask();
	assert.deepEqual(await take(), [[MESSAGE.Agent, 1, 0, '\0\0'], [MESSAGE.Request, 1, 1, 'GET\0https://h/p\0' + '0\0a\0b']]);
	tell(MESSAGE.Head, 1, 0, bytes('200\0OK\0X\0y'));
	const { status, headers, body } = await answer;
	assert.deepEqual([status, headers], [200, [['X', 'y']]]);
	tell(MESSAGE.Body, 1, 0, bytes('one '));
	tell(MESSAGE.Body, 1, 0, bytes('two'));
	tell(MESSAGE.End, 1, 0, null);
	assert.equal(await new Response(body).text(), 'one two');
});

test('what the page reads is granted again, and a body that no one wants ends', async () => {
	const { tell, take, ask } = make();
	const answer = ask();
	await take();
	tell(MESSAGE.Head, 1, 0, bytes('200\0'));
	const reader = /** @type {ReadableStream} */ ((await answer).body).getReader();
	tell(MESSAGE.Body, 1, 0, new Uint8Array(300_000));
	await reader.read();
	const grants = (await take()).filter(([kind]) => kind === MESSAGE.Grant);
	assert.equal(grants.reduce((sum, [, , number]) => sum + number, 0), 300_000);
	await reader.cancel();
	assert.deepEqual(await take(), [[MESSAGE.Abort, 1, 0, '']]);
});

test('an upload waits for the program, and stops with the answer', async () => {
	const { tell, take, ask } = make();
	const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) });
	const answer = ask({ method: 'POST', body: { stream, length: -1, again: null } });
	await take();
	for (let i = 0; i < 5; i++) await settled();
	tell(MESSAGE.Took, 1, 100_000, null);
	const given = (await take()).filter(([kind]) => kind === MESSAGE.Give).length;
	assert.ok(given <= 4, `${given} chunks`);
	tell(MESSAGE.Head, 1, 0, bytes('200\0'));
	tell(MESSAGE.End, 1, 0, null);
	await answer;
	tell(MESSAGE.Took, 1, 300_000, null);
	for (let i = 0; i < 5; i++) await settled();
	assert.deepEqual((await take()).filter(([kind]) => kind === MESSAGE.Give), []);
});

test('a failure rejects, and so do a signal and an upload that fails', async () => {
	const { tell, take, ask } = make();
	const first = ask();
	await take();
	tell(MESSAGE.Failed, 1, CODES.refused, bytes('no one there'));
	await assert.rejects(first, /refused: no one there/);
	const controller = new AbortController();
	const second = ask({ signal: controller.signal });
	controller.abort('stop');
	await assert.rejects(second, (error) => error === 'stop');
	const wrong = new ReadableStream({ start: (made) => made.error(new Error('the source')) });
	await assert.rejects(ask({ body: { stream: wrong, length: -1, again: null } }), /the source/);
	const strings = new ReadableStream({ start: (made) => made.enqueue('text') });
	await assert.rejects(ask({ body: { stream: strings, length: -1, again: null } }), TypeError);
	assert.deepEqual((await take()).filter(([kind]) => kind === MESSAGE.Abort).map(([, id]) => id), [3, 5, 7]);
});

test('streams of the program are streams of the tunnel', async () => {
	const { tell, take, streams, ask } = make();
	void ask();
	await take();
	tell(MESSAGE.Open, 2, 0, bytes('::1\0' + '443'));
	const [stream] = streams;
	assert.deepEqual([stream.request.host, stream.request.port, stream.request.name, stream.request.window], ['::1', 443, '[::1]:443', MESSAGE.Window]);
	stream.open();
	stream.handlers.ondata(bytes('hello'));
	stream.handlers.oneof();
	stream.handlers.onwritten(7);
	tell(MESSAGE.Write, 2, 0, bytes('out'));
	for (const kind of [MESSAGE.CloseWrite, MESSAGE.Close]) tell(kind, 2, 0, null);
	tell(MESSAGE.StreamGrant, 2, 9, null);
	stream.end(CODES.reset, 'gone');
	assert.deepEqual(await take(), [[MESSAGE.StreamOpened, 2, 0, ''], [MESSAGE.StreamData, 2, 0, 'hello'], [MESSAGE.StreamEOF, 2, 0, ''], [MESSAGE.StreamWritten, 2, 7, ''], [MESSAGE.StreamClosed, 2, CODES.reset, 'gone']]);
	assert.deepEqual([stream.written.map(text), stream.calls], [['out'], ['closeWrite', 'close', 'grant 9']]);
});

test('a program that fails fails all, and the next request starts another', async () => {
	const { port, calls, streams, tell, take, ask, next } = make();
	const first = ask();
	await take();
	tell(MESSAGE.Open, 2, 0, bytes('h\0' + '1'));
	port.onmessage({ data: { failed: 'it broke' } });
	await assert.rejects(first, /not_connected: it broke/);
	assert.deepEqual(streams[0].calls, ['reset']);
	next.error = new Error('no file');
	await assert.rejects(ask(), /not_connected: no file/);
	next.error = null;
	const third = ask();
	assert.deepEqual((await take()).map(([kind]) => kind), [MESSAGE.Agent, MESSAGE.Request]);
	tell(MESSAGE.Head, 5, 0, bytes('200\0'));
	assert.equal((await third).status, 200);
	assert.deepEqual(calls, { starts: 3, stops: 1 });
});

test('settings have agents, sixteen at most, and a client at rest has none', { timeout: 10_000 }, async () => {
	const { tell, take, ask } = make({ restMs: 1 });
	const asked = Array.from({ length: 18 }, (_, i) => ask({ tls: { ...TLS, roots: `root ${i}` } }).catch(() => {}));
	void ask({ tls: { ...TLS, roots: 'root 17' } }).catch(() => {});
	const messages = await take();
	assert.equal(messages.filter(([kind]) => kind === MESSAGE.Agent).length, 18);
	assert.deepEqual(messages.filter(([kind]) => kind === MESSAGE.Forget).map(([, id]) => id), [1, 2]);
	for (let id = 1; id <= 37; id += 2) tell(MESSAGE.Failed, id, CODES.reset, null);
	await Promise.all(asked);
	/** @type {any[]} */
	let forgotten = [];
	while (forgotten.length === 0) forgotten = (await take()).filter(([kind]) => kind === MESSAGE.Forget);
	assert.equal(forgotten.length, 16);
});

/** A stream of plaintext that notes its events. */
function plaintext() {
	/** @type {any[]} */
	const events = [];
	return { events, stream: /** @type {any} */ ({ id: 1, deliver: (/** @type {any} */ { kind, a, data }) => events.push([kind, a, text(data)]), end: (/** @type {any} */ why) => events.push(why.text) }) };
}

test('TLS over a stream: what is opened, given, taken and ended', async () => {
	const { client, tunnel, streams, tell, take } = make();
	const { events, stream } = plaintext();
	const carry = await secureOf(client, tunnel)({ request: { host: 'db', port: 1 }, choices: { alpn: ['a', 'b'] } });
	const commands = carry(stream);
	commands.open(1, /** @type {any} */ ({}));
	assert.deepEqual((await take()).slice(1), [[MESSAGE.Secure, 1, 1, 'db\0a,b']]);
	tell(MESSAGE.Head, 1, 0, bytes('a'));
	commands.write(1, bytes('out'));
	tell(MESSAGE.Took, 1, 3, null);
	tell(MESSAGE.Body, 1, 0, bytes('in'));
	tell(MESSAGE.End, 1, 0, null);
	commands.grant(1, 5);
	commands.closeWrite(1);
	commands.stop(1);
	tell(MESSAGE.Body, 1, 0, bytes('late'));
	tell(MESSAGE.Done, 1, 0, null);
	assert.deepEqual(await take(), [[MESSAGE.Give, 1, 0, 'out'], [MESSAGE.Grant, 1, 5, ''], [MESSAGE.Finish, 1, 0, ''], [MESSAGE.Finish, 1, 1, ''], [MESSAGE.Grant, 1, 4, '']]);
	streams[0].end(CODES.ok);
	assert.deepEqual(events, [[EVENT.opened, 0, '\0\0a'], [EVENT.written, 3, ''], [EVENT.data, 0, 'in'], [EVENT.eof, 0, ''], [EVENT.closed, CODES.ok, '']]);
});

test('TLS that fails has its own words, an option that is wrong too', async () => {
	const { client, tunnel, streams, tell, take } = make();
	const begin = secureOf(client, tunnel);
	const first = plaintext();
	(await begin({ request: { host: 'db', port: 1 } }))(first.stream).open(1, /** @type {any} */ ({}));
	await take();
	tell(MESSAGE.Failed, 1, CODES.protocol, bytes('TLS: expired'));
	streams[0].end(CODES.aborted);
	assert.deepEqual([first.events, streams[0].calls], [[[EVENT.closed, CODES.protocol, 'TLS: expired']], ['reset']]);
	const second = plaintext();
	(await begin({ request: { host: 'db', port: 1 }, choices: { sni: '' } }))(second.stream).open(1, /** @type {any} */ ({}));
	while (second.events.length === 0) await settled();
	assert.deepEqual(second.events, ['connect: tls.sni is no host name']);
});
