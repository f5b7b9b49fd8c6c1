import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as EVENT from '../../src/wire/generated/event.js';
import { serve } from '../../src/engine/host.js';
import { startRemote } from '../../src/engine/remote.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { Tunnel } from '../../src/tunnel/tunnel.js';
import { FakeCarrier, FakeProgram } from '../fakes/program.js';
import { settled, Tasks } from '../fakes/tunnel.js';

/** The smallest module: magic and version. */
const MODULE = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));

/** A worker whose two sides speak through structured clones, as in a browser, at once. */
class FakeWorker {
	/** @type {any[]} */
	sent = [];
	/** @type {any[]} */
	answers = [];
	terminated = false;
	closed = false;
	/** @type {any} */
	onmessage = null;
	/** @type {any} */
	onerror = null;
	/** @type {any} */
	onmessageerror = null;
	/** The worker's own side. */
	port = {
		/** @type {any} */
		onmessage: null,
		postMessage: (/** @type {any} */ message, /** @type {any[]} */ transfer) => {
			const copy = structuredClone(message, { transfer });
			this.answers.push(copy);
			if (!this.terminated) this.onmessage?.({ data: copy });
		},
	};

	/** @param {any} message @param {any[]} transfer */
	postMessage(message, transfer) {
		const { start } = message;
		// Node clones no modules to the same thread.
		const copy = start ? message : structuredClone(message, { transfer });
		this.sent.push(copy);
		if (!this.terminated) this.port.onmessage?.({ data: copy });
	}

	terminate() {
		this.terminated = true;
	}
}

/** @param {import('node:test').TestContext} t @param {{ error?: Error }} [options] */
async function make(t, { error } = {}) {
	t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
	FakeCarrier.made = [];
	const tasks = new Tasks();
	const worker = new FakeWorker();
	const program = new FakeProgram();
	/** @type {string[]} */
	const logged = [];
	const log = (/** @type {string} */ line) => void logged.push(line);
	serve({
		port: worker.port, Native: /** @type {any} */ (FakeCarrier), Go: /** @type {any} */ (class {}), schedule: tasks.schedule,
		close: () => void (worker.closed = true), probe: async () => 'the server is down',
		program: () => error ? async () => {
			throw error;
		} : program.start,
	});
	const tunnel = new Tunnel({
		url: 'wss://h/v1/connect', agent: 'sockmux.js/1', token: 'secret', schedule: tasks.schedule, log: { error: log, warn: log, info: log },
		start: (owner) => startRemote({ worker: /** @type {any} */ (worker), module: MODULE }, owner),
	});
	tunnel.load();
	await settled();
	await tasks.run();
	/** Tells what Go tells. @param {FakeProgram['events']} events */
	const tell = async (...events) => {
		program.events.push(...events);
		program.imports.event();
		await tasks.run();
	};
	return { tunnel, tasks, worker, program, logged, tell };
}

/** @param {Tunnel} tunnel @param {object} [request] */
function open(tunnel, request) {
	/** @type {string[]} */
	const told = [];
	const stream = tunnel.open({ host: 'h', port: 80, ...request }, {
		onopen: () => told.push('open'),
		ondata: (bytes) => told.push(`data ${bytes.length}`),
		oneof: () => told.push('eof'),
		onwritten: (bytes) => told.push(`written ${bytes}`),
		onclose: (why) => told.push(`close ${why.name} ${why.text}`),
	});
	return { stream, told };
}

test('the worker\'s program is configured, and a stream lives as it does in the page', async (t) => {
	const { tunnel, program, tell } = await make(t);
	const { stream, told } = open(tunnel, { window: 10, socketOptions: { noDelay: true } });
	stream.setSocketOptions({ keepAlive: true });
	const bytes = new Uint8Array([104, 105]);
	stream.write(bytes);
	stream.grant(5);
	await settled();
	assert.deepEqual([...bytes], [104, 105], 'the page keeps its bytes');
	await tell({ kind: EVENT.state, id: 2 }, { kind: EVENT.opened, id: 1, text: '\0' }, { kind: EVENT.data, id: 1, text: 'abc' }, { kind: EVENT.written, id: 1, a: 2 }, { kind: EVENT.eof, id: 1 });
	stream.close();
	await settled();
	await tell({ kind: EVENT.closed, id: 1 });
	assert.deepEqual(program.calls, [
		['configure', 'wss://h/v1/connect\0sockmux.js/1'], ['setToken', 'secret'], ['streamOpen', 1, KIND.tcp, 80, 0, 0, 0, 10, 1, 'h\x01\0\0\0\x01'], ['streamSocketOptions', 1, '\x02\0\0\0\x01'], ['streamWrite', 1, 'hi'], ['streamGrant', 1, 5],
		['streamStop', 1], ['streamCloseWrite', 1],
	]);
	assert.deepEqual(told, ['open', 'data 3', 'written 2', 'eof', 'close ok ']);
	assert.equal(tunnel.status.state, 'open');
	assert.deepEqual(tunnel.stats().streams.map(({ bytesIn, bytesOut, name }) => [bytesIn, bytesOut, name]), [[3, 2, 'ok']]);
});

test('calls of one task are one message; bytes are transferred', async (t) => {
	const { tunnel, worker } = await make(t);
	await settled();
	const before = worker.sent.length;
	const { stream } = open(tunnel);
	for (let i = 0; i < 3; i++) stream.write(new Uint8Array(1000));
	await settled();
	assert.equal(worker.sent.length, before + 1);
	assert.deepEqual(worker.sent.at(-1).calls.map((/** @type {unknown[]} */ call) => call[0]), ['open', 'write', 'write', 'write']);
});

test('a page that does not take events is not filled with them', async (t) => {
	const { tunnel, tasks, worker, program } = await make(t);
	open(tunnel);
	await settled();
	const piece = new Uint8Array(16_000);
	for (let i = 0; i < 200; i++) program.events.push({ kind: EVENT.data, id: 1, text: piece });
	program.imports.event();
	tasks.queue.shift()?.(); // the event `stream`
	tasks.queue.shift()?.(); // the worker's turn, and not the page's
	const ahead = worker.answers.flatMap(({ events }) => events ?? []).length * piece.length;
	assert.ok(ahead >= 900_000 && ahead < 1_500_000, `${ahead} bytes in the page`);
	assert.ok(program.events.length > 100);
	await tasks.run();
	assert.equal(program.events.length, 0);
	assert.equal(tunnel.stats().streams[0].bytesIn, 200 * piece.length);
});

test('figures come with events, and without them now and then', async (t) => {
	const { tunnel, program, worker, tell } = await make(t);
	program.imports.carrierDial(1, 1024);
	const [carrier] = FakeCarrier.made;
	assert.match(carrier.url, /^wss:\/\/h\/v1\/connect\?/);
	carrier.readyState = 1;
	carrier.onmessage({ data: new ArrayBuffer(7) });
	program.figures = { rtt: 1500, unacknowledged: 9 };
	assert.equal(tunnel.stats().rttMs, null);
	await tell({ kind: EVENT.state, id: 2 });
	const { rttMs, unacknowledged, bytesIn, messagesIn } = tunnel.stats();
	assert.deepEqual({ rttMs, unacknowledged, bytesIn, messagesIn }, { rttMs: 1.5, unacknowledged: 9, bytesIn: 7, messagesIn: 1 });
	program.figures = { rtt: 2500, unacknowledged: 0 };
	t.mock.timers.tick(500);
	assert.equal(tunnel.stats().rttMs, 2.5);
	const count = worker.answers.length;
	t.mock.timers.tick(2000);
	assert.equal(worker.answers.length, count, 'nothing new is not told');
});

test('Go is asked nothing before it is configured', async (t) => {
	t.mock.timers.enable({ apis: ['setInterval'] });
	const worker = new FakeWorker();
	const program = new FakeProgram();
	program.figures = { rtt: 1, unacknowledged: 0 };
	serve({ port: worker.port, Native: /** @type {any} */ (FakeCarrier), Go: /** @type {any} */ (class {}), schedule: new Tasks().schedule, close() {}, program: () => program.start });
	worker.postMessage({ start: { url: 'wss://h/', module: MODULE, traffic: {} } }, []);
	await settled();
	t.mock.timers.tick(2000);
	const { answers } = worker;
	assert.equal(JSON.stringify(answers), '[{"ready":true}]');
	worker.postMessage({ calls: [['configure', { url: 'wss://h/', agent: 'a' }]] }, []);
	t.mock.timers.tick(500);
	assert.equal(answers.at(-1).figures.session.unacknowledged, 0);
	worker.postMessage({ end: true }, []);
});

test('a program that cannot be started, a worker that may not run', async (t) => {
	const { tunnel, worker, logged } = await make(t, { error: new Error('no memory') });
	assert.equal(tunnel.status.state, 'failed');
	assert.match(logged[0], /the wasm could not be started: no memory/);
	assert.equal(worker.terminated, true);
	const forbidden = new FakeWorker();
	const owner = /** @type {any} */ ({ url: 'wss://h/', traffic: {}, onevent() {}, onfailure: () => assert.fail('it never ran') });
	const starting = startRemote({ worker: /** @type {any} */ (forbidden), module: MODULE }, owner);
	forbidden.onerror(new Event('error', { cancelable: true }));
	await assert.rejects(starting, /worker-src of the Content-Security-Policy must have blob:/);
});

/** @type {[string, (world: Awaited<ReturnType<typeof make>>) => void, RegExp][]} */
const FAILURES = [
	['Go crashes', ({ program }) => program.onexit(2), /the Go program ended with code 2/],
	['a call into Go traps', ({ program, tunnel }) => {
		program.error = new Error('unreachable');
		tunnel.kick();
	}, /unreachable/],
	['the worker throws', ({ worker }) => worker.onerror(Object.assign(new Event('error'), { message: 'out of memory' })), /the worker failed: out of memory/],
	['a message that cannot be read', ({ worker }) => worker.onmessageerror(), /a message could not be read/],
];
for (const [name, cause, text] of FAILURES) {
	test(`failure: ${name}: the tunnel has failed, and every stream ends`, async (t) => {
		const world = await make(t);
		const { told } = open(world.tunnel);
		await settled();
		cause(world);
		await settled();
		await world.tasks.run();
		assert.equal(world.tunnel.status.state, 'failed');
		assert.match(world.tunnel.status.reason?.text ?? '', text);
		assert.equal(told.length, 1);
		assert.match(told[0], /^close not_connected/);
		assert.equal(world.worker.terminated, true);
	});
}

for (const how of ['goodbye', 'hang']) {
	test(`closed, the worker says goodbye and ends; one that hangs is ended: ${how}`, async (t) => {
		const { tunnel, tasks, worker, program } = await make(t);
		program.hangs = true;
		const { stream, told } = open(tunnel);
		stream.write(new Uint8Array(2));
		tunnel.close();
		await tasks.run();
		assert.deepEqual(program.calls.slice(-3).map(([name]) => name), ['streamOpen', 'streamWrite', 'shutdown']);
		assert.deepEqual(told, ['close aborted sockmux was uninstalled']);
		assert.equal(worker.closed, false, 'the goodbye is on its way');
		if (how === 'goodbye') program.onexit(0);
		else t.mock.timers.tick(60_000);
		await settled();
		assert.equal(worker.closed, true);
		assert.equal(worker.terminated, false);
		t.mock.timers.tick(120_000);
		await settled();
		assert.equal(worker.terminated, true);
	});
}
