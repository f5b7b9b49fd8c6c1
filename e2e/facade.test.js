// The WebSocket that the page sees, in the browser itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

/** @type {import('./harness/suite.js').TestPage} */
let page;
/** @type {Record<string, number>} */
let ports;

const world = suite({
	flags: () => ['--demo'],
	async ready({ targets, site, newPage }) {
		ports = targets.ports;
		page = await newPage();
		await page.goto(`${site.origin}/bare.html`);
	},
});

const url = (/** @type {string} */ name, scheme = 'ws', host = '127.0.0.1') => `${scheme}://${host}:${ports[name]}/`;

/**
 * All events of a socket until it is closed.
 * @param {string} address
 * @param {string | string[]} [protocols]
 */
const lifeOf = (address, protocols = 'binary') => page.evaluate(
	([u, p]) => /** @type {any} */ (globalThis).openSocket(u, p).closed(), /** @type {const} */ ([address, protocols]));

test('echo, whatever the scheme and however the subprotocol is written', async () => {
	for (const scheme of ['ws', 'wss']) {
		for (const protocols of ['binary', ['binary']]) {
			const answer = await page.evaluate(([u, p]) => /** @type {any} */ (globalThis).echo(u, p, 'hello'), /** @type {const} */ ([url('echo', scheme), protocols]));
			assert.deepEqual(answer, {
				text: 'hello', events: ['open', 'message', 'close'], protocol: 'binary',
				last: { type: 'close', code: 1000, reason: '', wasClean: true, readyState: 3 },
			});
		}
	}
});

test('hosts by name and by IPv4 address', async () => {
	for (const host of ['demo.test', 'DEMO.test', 'h7.test']) {
		const events = await lifeOf(url('line', 'ws', host));
		assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['open', 'message', 'close'], host);
		assert.equal(events[1].data, 'one line\n');
	}
});

test('the peer\'s end is a clean close', async () => {
	const events = await lifeOf(url('lines'));
	assert.equal(events.filter((/** @type {any} */ e) => e.type === 'message').map((/** @type {any} */ e) => e.data).join(''), 'first\nsecond\nthird');
	assert.deepEqual(events.at(-1), { type: 'close', code: 1000, reason: '', wasClean: true, readyState: 3 });
});

test('failures: error, then close with the code of the table and a reason for people', async () => {
	/** @type {[string, number, RegExp][]} */
	const cases = [
		[url('refused'), 4001, /^refused: .*refused the connection/],
		[url('denied'), 4006, /^denied: .*no rule allows it/],
		['ws://nobody.test:80/', 4005, /^name_not_found: nobody\.test/],
		['ws://172.29.1.2:80/', 4024, /^fake_address: /],
	];
	for (const [address, code, reason] of cases) {
		const events = await lifeOf(address);
		assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['error', 'close'], address);
		assert.equal(events[1].code, code, address);
		assert.match(events[1].reason, reason);
		assert.equal(events[1].wasClean, false);
		assert.ok(events.every((/** @type {any} */ e) => e.readyState === 3), JSON.stringify(events));
	}
	assert.equal(world.targets.closed.denied, 0);
});

test('a reset is no clean close, and what came before it is there', async () => {
	const events = await lifeOf(url('reset'));
	assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['open', 'message', 'error', 'close']);
	assert.equal(events[1].data, 'before the reset\n');
	assert.equal(events[3].code, 4008);
});

test('URLs made to harm: none throws, each fails, nothing is sent to anybody', async () => {
	const native = page.carriers.length;
	const hostile = [
		'ws://a b:80/', 'ws://demo.test\r\nHost: x:80/', 'ws://demo.test\0:80/', 'ws://:80/', 'ws://demo.test:65536/', 'ws://demo.test:0/',
		'ws://demo.test:99999999999999999999/', 'ws://user@demo.test:80/', 'ws://[::1:80/', 'ws://[not-v6]:80/', `ws://${'a'.repeat(300)}.test:80/`, 'ws://a..b:80/', 'ws://%00:80/',
	];
	for (const address of hostile) {
		const outcome = await page.evaluate(async (u) => {
			try {
				const opened = /** @type {any} */ (globalThis).openSocket(u, ['binary']);
				if (opened.events.length > 0) return 'an event before the constructor returned';
				return (await opened.closed()).map((/** @type {any} */ e) => e.type).join();
			} catch (error) {
				return /** @type {Error} */ (error).name;
			}
		}, address);
		assert.equal(outcome, 'error,close', address);
	}
	assert.equal(page.carriers.slice(native).length, 0, page.carriers.slice(native).join(' '));
	// A name that only a resolver can judge is asked for as it stands; nothing else ever
	// reaches the server.
	const odd = world.sockmux.logs.filter((line) => line.includes('"msg":"stream"')).map((line) => JSON.parse(line)).filter(({ target }) => /:(80|81|0|65536)$/.test(target) && target !== 'nobody.test:80');
	assert.deepEqual(odd.map(({ target, code }) => [target, code === 'ok']), [['a..b:80', false]]);
});

test('constants, classes and exceptions as the standard has them', async () => {
	const found = await page.evaluate((u) => {
		const socket = new WebSocket(u, 'binary');
		const thrown = (/** @type {() => void} */ run) => {
			try {
				run();
				return 'nothing';
			} catch (error) {
				return `${/** @type {Error} */ (error).name}`;
			}
		};
		const answer = {
			instance: socket instanceof WebSocket, tag: `${socket}`, target: socket instanceof EventTarget, constructor: socket.constructor === WebSocket,
			constants: [WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED, socket.CONNECTING, socket.CLOSED],
			state: socket.readyState, binaryType: socket.binaryType, url: socket.url,
			early: thrown(() => socket.send('x')), code: thrown(() => socket.close(1001)), reason: thrown(() => socket.close(1000, 'x'.repeat(124))),
			call: thrown(() => /** @type {any} */ (WebSocket)(u)), nothing: thrown(() => new /** @type {any} */ (WebSocket)()),
			badUrl: thrown(() => new WebSocket('ws://[')), badProtocol: thrown(() => new WebSocket('ws://127.0.0.1:1/', ['a', 'a'])),
		};
		socket.close();
		return answer;
	}, url('echo'));
	assert.deepEqual(found, {
		instance: true, tag: '[object WebSocket]', target: true, constructor: true, constants: [0, 1, 2, 3, 0, 3], state: 0, binaryType: 'blob', url: url('echo'),
		early: 'InvalidStateError', code: 'InvalidAccessError', reason: 'SyntaxError', call: 'TypeError', nothing: 'TypeError', badUrl: 'SyntaxError', badProtocol: 'SyntaxError',
	});
});

test('every kind of data goes out, each as its bytes, in order; blobs come in', async () => {
	const got = await page.evaluate(async (u) => {
		const socket = new WebSocket(u, 'binary');
		/** @type {Blob[]} */
		const parts = [];
		await new Promise((resolve) => {
			socket.onopen = resolve;
		});
		const done = new Promise((resolve) => {
			socket.onmessage = ({ data }) => {
				parts.push(data);
				if (parts.reduce((sum, part) => sum + part.size, 0) === 19) resolve(undefined);
			};
		});
		const bytes = new TextEncoder().encode('..view..');
		socket.send('text ä ');
		socket.send(new Blob(['blob ']));
		socket.send(bytes.subarray(2, 6));
		socket.send(new TextEncoder().encode('!?').buffer);
		const queued = socket.bufferedAmount;
		await done;
		socket.close();
		return { text: await new Blob(parts).text(), blobs: parts.every((part) => part instanceof Blob), queued, left: socket.bufferedAmount };
	}, url('echo'));
	assert.deepEqual({ ...got, queued: null }, { text: 'text ä blob view!?', blobs: true, queued: null, left: 0 });
	assert.ok(got.queued > 0 && got.queued <= 19, `bufferedAmount ${got.queued}`);
});

test('10 MB there and back, and bufferedAmount comes down to nothing', async () => {
	const got = await page.evaluate(async (u) => {
		const size = 10_000_000;
		const data = new Uint8Array(size).map((_, i) => (i * 2654435761) >>> 24);
		const socket = new WebSocket(u, 'binary');
		socket.binaryType = 'arraybuffer';
		const back = new Uint8Array(size);
		let at = 0;
		await new Promise((resolve) => { socket.addEventListener('open', resolve); });
		const done = new Promise((resolve) => {
			socket.addEventListener('message', ({ data: part }) => {
				back.set(new Uint8Array(part), at);
				at += part.byteLength;
				if (at === size) resolve(undefined);
			});
		});
		for (let i = 0; i < size; i += 1_000_000) socket.send(data.subarray(i, i + 1_000_000));
		const most = socket.bufferedAmount;
		await done;
		socket.close();
		return { same: back.every((byte, i) => byte === data[i]), most, left: socket.bufferedAmount };
	}, url('echo'));
	assert.deepEqual({ ...got, most: null }, { same: true, most: null, left: 0 });
	assert.ok(got.most > 5_000_000, `bufferedAmount ${got.most} after 10 MB`);
});

test('sockets made before the wasm is ready wait as CONNECTING', async () => {
	const fresh = await world.newPage();
	/** @type {() => void} */
	let release = () => {};
	const held = new Promise((resolve) => {
		release = () => resolve(undefined);
	});
	await fresh.route('**/*.wasm', async (route) => {
		await held;
		await route.continue();
	});
	await fresh.goto(`${world.site.origin}/bare.html`);
	const state = await fresh.evaluate((u) => {
		const scope = /** @type {any} */ (globalThis);
		scope.early = scope.openSocket(u, 'binary');
		return [scope.early.socket.readyState, scope.sockmux.status.state];
	}, url('line'));
	assert.deepEqual(state, [0, 'loading']);
	const carriers = () => fresh.carriers.filter((/** @type {string} */ address) => address.includes(`:${world.sockmux.port}/`)).length;
	await until(async () => carriers() === 1, 'the WebSocket is made while the wasm loads');
	release();
	const events = await fresh.evaluate(() => /** @type {any} */ (globalThis).early.closed());
	assert.deepEqual(events.map((/** @type {any} */ e) => e.type), ['open', 'message', 'close']);
	assert.equal(carriers(), 1);
	await fresh.context().close();
});

test('200 sockets at once in one WebSocket', async () => {
	const right = await page.evaluate(async (u) => {
		const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => /** @type {any} */ (globalThis).echo(u, 'binary', `socket ${i}`)));
		return answers.filter(({ text }, i) => text === `socket ${i}`).length;
	}, url('echo'));
	assert.equal(right, 200);
	await until(async () => (await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.stats().streams.filter((/** @type {any} */ s) => s.closedAt === null).length)) === 0, 'all streams ended');
	assert.equal(page.carriers.filter((address) => address.includes(`:${world.sockmux.port}/`)).length, 1);
});
