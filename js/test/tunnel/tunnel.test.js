import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { startEngine } from '../../src/engine/engine.js';
import * as EVENT from '../../src/wire/generated/event.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { Tunnel } from '../../src/tunnel/tunnel.js';
import { FakeCarrier, FakeProgram } from '../fakes/program.js';
import { settled, Tasks } from '../fakes/tunnel.js';

afterEach(() => {
	FakeCarrier.made = [];
});

/** @param {Partial<import('../../src/tunnel/tunnel.js').TunnelConfig> & { Native?: typeof WebSocket }} [config] */
function make({ Native = /** @type {any} */ (FakeCarrier), ...config } = {}) {
	const tasks = new Tasks();
	/** @type {FakeProgram[]} */
	const programs = [];
	/** @type {string[]} */
	const logged = [];
	const log = (/** @type {string} */ level) => (/** @type {string} */ line) => void logged.push(`${level} ${line}`);
	const tunnel = new Tunnel({
		url: 'wss://h/v1/connect', agent: 'sockmux.js/1', schedule: tasks.schedule,
		start: (owner) => {
			const program = new FakeProgram();
			programs.push(program);
			return startEngine({ start: program.start, Native, probe: async () => 'the server is down' }, owner);
		},
		log: { error: log('error'), warn: log('warn'), info: log('info') },
		...config,
	});
	return { tasks, tunnel, programs, logged };
}

/** Loads the wasm. @param {Parameters<typeof make>[0]} [config] */
async function makeReady(config) {
	const all = make(config);
	all.tunnel.load();
	await settled();
	await all.tasks.run();
	return { ...all, program: all.programs[0] };
}

/** @param {Tunnel} tunnel @param {string} [host] */
function open(tunnel, host = 'h') {
	/** @type {string[]} */
	const told = [];
	const stream = tunnel.open({ host, port: 80 }, {
		onopen: () => told.push('open'),
		ondata: (bytes) => told.push(`data ${Buffer.from(bytes)}`),
		onclose: (why) => told.push(`close ${why.name} ${why.text}`),
	});
	return { stream, told };
}

test('nothing is loaded before it is needed, and streams wait for it', async () => {
	const { tunnel, programs, tasks } = make({ token: 'secret' });
	assert.equal(tunnel.status.state, 'idle');
	assert.equal(programs.length, 0);
	open(tunnel);
	open(tunnel, 'i');
	assert.equal(tunnel.status.state, 'loading');
	await settled();
	await tasks.run();
	assert.equal(programs.length, 1);
	assert.equal(programs[0].ran, true);
	assert.deepEqual(programs[0].calls.map(([name, ...rest]) => [name, rest.at(-1)]), [
		['configure', 'wss://h/v1/connect\0sockmux.js/1'], ['setToken', 'secret'], ['streamOpen', 'h'], ['streamOpen', 'i'],
	]);
});

test('events reach the stream that they name, from a task', async () => {
	const { tunnel, program, tasks } = await makeReady();
	const { stream, told } = open(tunnel);
	program.events.push({ kind: EVENT.opened, id: stream.id, text: '\0' }, { kind: EVENT.data, id: 99, text: 'x' }, { kind: EVENT.data, id: stream.id, text: 'abc' });
	program.imports.event();
	program.imports.event();
	assert.deepEqual(told, []);
	await tasks.run();
	assert.deepEqual(told, ['open', 'data abc']);
	program.events.push({ kind: EVENT.closed, id: stream.id });
	program.imports.event();
	await tasks.run();
	assert.deepEqual(told.at(-1), 'close ok ');
});

test('what a message of the server brings is handed out in the task of that message', async () => {
	const { tunnel, program, tasks } = await makeReady();
	const { stream, told } = open(tunnel);
	program.imports.carrierDial(1, 1 << 20);
	FakeCarrier.made[0].onopen();
	await tasks.run();
	program.onresume = () => {
		program.events.push({ kind: EVENT.opened, id: stream.id, text: '\0' });
		program.imports.event();
	};
	FakeCarrier.made[0].onmessage({ data: new Uint8Array([3]).buffer });
	assert.deepEqual(told, ['open']);
	await tasks.run();
	assert.deepEqual(told, ['open']);
});

test('the first turn that a message of the server asks for is in its task, each other one is a task', async () => {
	const { tunnel, program, tasks } = await makeReady();
	/** @type {string[]} */
	const told = [];
	const stream = tunnel.open({ host: 'h', port: 80 }, {
		onopen: () => tunnel.turn(() => told.push('open')),
		ondata: (bytes) => tunnel.turn(() => told.push(`data ${Buffer.from(bytes)}`)),
	});
	program.imports.carrierDial(1, 1 << 20);
	FakeCarrier.made[0].onopen();
	await tasks.run();
	program.onresume = () => {
		program.events.push({ kind: EVENT.opened, id: stream.id, text: '\0' }, { kind: EVENT.data, id: stream.id, text: 'a' });
		program.imports.event();
		program.onresume = () => {};
	};
	FakeCarrier.made[0].onmessage({ data: new Uint8Array([3]).buffer });
	assert.deepEqual(told, ['open']);
	await settled();
	await tasks.run();
	assert.deepEqual(told, ['open', 'data a']);
});

test('what an optimistic stream writes in its open goes to Go with the request', async () => {
	const { tunnel, program, tasks } = await makeReady();
	/** @type {string[]} */
	const before = [];
	program.onresume = () => before.push(program.calls.map(([name]) => name).filter((name) => String(name).startsWith('stream')).join(' '));
	const stream = tunnel.open({ host: 'h', port: 80, optimistic: true }, {
		onopen: () => tunnel.turn(() => stream.write(new Uint8Array(1))), // as an event of a WebSocket
	});
	tasks.queue.splice(0, 2).forEach((task) => task()); // the events "stream" and "open"
	assert.equal(program.calls.at(-1)?.[0], 'streamWrite');
	await settled();
	await tasks.run();
	assert.equal(before[0], 'streamOpen streamWrite');
	before.length = 0;
	tunnel.open({ host: 'h', port: 80, optimistic: true }); // which waits for the server's first word
	await tasks.run();
	assert.equal(before.length, 1);
});

test('the WebSocket is made while the program loads, where a stream wants it', async () => {
	const { tunnel, programs, tasks } = make();
	tunnel.load();
	await Promise.resolve();
	assert.equal(FakeCarrier.made.length, 0);
	open(tunnel);
	await Promise.resolve();
	assert.equal(FakeCarrier.made.length, 1);
	FakeCarrier.made[0].readyState = 1;
	await settled();
	await tasks.run();
	programs[0].imports.carrierDial(1, 1 << 20);
	await settled();
	assert.deepEqual(programs[0].calls.at(-1), ['carrierOpened', 1]);
	programs[0].imports.carrierDial(2, 1 << 20); // of a resume
	assert.equal(FakeCarrier.made.length, 2);
});

test('a WebSocket made for a program that does not come is closed', async () => {
	/** @type {(error: Error) => void} */
	let fail = () => {};
	const { tunnel } = make({ start: (owner) => startEngine({
		start: () => new Promise((_, reject) => {
			fail = reject;
		}),
		Native: /** @type {any} */ (FakeCarrier),
	}, owner) });
	open(tunnel);
	await settled();
	fail(new Error('no wasm'));
	await settled();
	assert.deepEqual(FakeCarrier.made.map((carrier) => carrier.closed.length), [1]);
});

test('a hostile target never reaches the wasm', async () => {
	const { tunnel, program, tasks, logged } = await makeReady();
	const { told } = open(tunnel, 'a b');
	assert.deepEqual(told, []);
	await tasks.run();
	assert.match(told[0], /^close invalid_request "a b" is not a host name/);
	assert.equal(program.calls.some(([name]) => name === 'streamOpen'), false);
	assert.match(logged[0], /^warn sockmux: a b:80: invalid_request/);
	assert.equal(tunnel.status.lastError?.name, 'invalid_request');
});

test('carriers are native sockets with the subprotocol, and their messages are counted', async () => {
	const { tunnel, program, tasks } = await makeReady();
	program.imports.carrierDial(1, 1024);
	const [carrier] = FakeCarrier.made;
	assert.match(carrier.url, /^wss:\/\/h\/v1\/connect\?attempt=[0-9a-f]{16}$/);
	assert.deepEqual([carrier.protocol, carrier.binaryType], [ 'sockmux.v1', 'arraybuffer']);
	const { pointer, length } = program.put('hello');
	assert.equal(program.imports.carrierSend(1, pointer, length), 0, 'nothing is sent while it connects');
	carrier.readyState = 1;
	carrier.onopen();
	assert.equal(program.imports.carrierSend(1, pointer, length), 5);
	assert.equal(program.imports.carrierBuffered(1), 5);
	assert.equal(program.imports.carrierBuffered(2), 0);
	carrier.onmessage({ data: new Uint8Array([65, 66]).buffer });
	await tasks.run();
	assert.deepEqual(carrier.sent, ['hello']);
	assert.deepEqual(program.calls.slice(-2), [['carrierOpened', 1], ['carrierMessage', 1, 'AB']]);
	const { bytesIn, bytesOut, messagesIn, messagesOut } = tunnel.stats();
	assert.deepEqual([bytesIn, bytesOut, messagesIn, messagesOut], [2, 5, 1, 1]);
	const reason = program.put('ü'.repeat(100));
	program.imports.carrierClose(1, 4008, reason.pointer, reason.length);
	program.imports.carrierClose(1, 1002, reason.pointer, 0);
	assert.deepEqual(carrier.closed, [[4008, 'ü'.repeat(61)], []]);
	carrier.onclose({ code: 1006, reason: '' });
	await tasks.run();
	assert.deepEqual(program.calls.at(-1), ['carrierClosed', 1, 'the connection ended with code 1006']);
	assert.equal(program.imports.carrierSend(1, pointer, length), 0);
});

test('the message behind an announcement is bare, on its own carrier, and both are one run of the goroutines', async () => {
	const { tunnel, program, tasks } = await makeReady();
	program.imports.carrierDial(1, 1024);
	program.imports.carrierDial(2, 1024);
	const [first, second] = FakeCarrier.made;
	const { resumes } = program;
	const body = new Uint8Array([8, 66]).buffer; // what is bare announces nothing
	first.onmessage({ data: new Uint8Array([8, 65]).buffer });
	await tasks.run();
	assert.equal(program.resumes, resumes);
	second.onmessage({ data: new Uint8Array([67]).buffer });
	await tasks.run();
	first.onmessage({ data: body });
	first.onmessage({ data: new Uint8Array([68]).buffer });
	await tasks.run();
	assert.deepEqual(program.calls.slice(-4), [['carrierMessage', 1, '\bA'], ['carrierMessage', 2, 'C'], ['carrierBody', 1, 1, 2], ['carrierMessage', 1, 'D']]);
	assert.equal(program.resumes, resumes + 3);
	assert.deepEqual([tunnel.stats().bytesIn, tunnel.stats().messagesIn, body.byteLength], [6, 4, 2]);
	const { pointer } = program.put('...');
	program.imports.bodyCopy(1, 1, pointer, 1);
	assert.equal(new Uint8Array(program.mem.buffer)[pointer], 66);
	program.imports.bodyDrop(1);
});

test('an announcement may stand behind an acknowledgement', async () => {
	const { program, tasks } = await makeReady();
	program.imports.carrierDial(1, 1024);
	const [carrier] = FakeCarrier.made;
	const joined = (/** @type {number} */ type) => Uint8Array.from([9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, type, 65]).buffer;
	for (const type of [3, 8]) {
		carrier.onmessage({ data: joined(type) });
		carrier.onmessage({ data: new Uint8Array([66]).buffer });
	}
	await tasks.run();
	assert.deepEqual(program.calls.slice(-4).map(([name]) => name), ['carrierMessage', 'carrierMessage', 'carrierMessage', 'carrierBody']);
});

test('a text message ends the carrier', async () => {
	const { program } = await makeReady();
	program.imports.carrierDial(1, 1024);
	FakeCarrier.made[0].onmessage({ data: 'text' });
	assert.deepEqual(FakeCarrier.made[0].closed, [[3003, 'text message']]);
});

test('a dial that fails is asked why; a URL that cannot be dialed fails too', async () => {
	const first = await makeReady();
	first.program.imports.carrierDial(4, 1024);
	FakeCarrier.made[0].onclose({ code: 1006, reason: '' });
	await first.tasks.run();
	assert.deepEqual(first.program.calls.at(-1), ['carrierClosed', 4, 'the server is down']);
	const second = await makeReady({ Native: /** @type {any} */ (class {
		constructor() {
			throw new DOMException('insecure', 'SecurityError');
		}
	}) });
	second.program.imports.carrierDial(5, 1024);
	await settled();
	assert.deepEqual(second.program.calls.at(-1), ['carrierClosed', 5, 'SecurityError: insecure']);
});

test('states are told by name, with the reason on the console once', async () => {
	const { tunnel, program, tasks, logged } = await makeReady();
	/** @type {string[]} */
	const states = [];
	const listener = (/** @type {any} */ status) => states.push(`${status.state} ${status.attempt} ${status.reason?.text ?? ''}`);
	tunnel.on('state', listener);
	for (const [id, a, b, text] of /** @type {const} */ ([[1, 1, 0, ''], [1, 2, 25, 'down'], [1, 3, 25, 'down'], [2, 0, 0, ''], [3, 1, 25, 'lost'], [4, 0, 18, 'no token']])) {
		program.events.push({ kind: EVENT.state, id, a, b, text });
	}
	program.imports.event();
	await tasks.run();
	assert.deepEqual(states, ['connecting 1 ', 'connecting 2 down', 'connecting 3 down', 'open 0 ', 'resuming 1 lost', 'closed 0 no token']);
	assert.deepEqual(logged, ['warn sockmux: wss://h/v1/connect: down', 'warn sockmux: wss://h/v1/connect: lost', 'warn sockmux: closed: unauthorized: no token']);
	tunnel.off('state', listener);
	program.events.push({ kind: EVENT.state, id: 2 });
	program.imports.event();
	await tasks.run();
	assert.equal(states.length, 6);
	assert.equal(tunnel.status.state, 'open');
});

test('a listener that throws hurts nobody', async () => {
	const { tunnel, program, tasks } = await makeReady();
	/** @type {unknown[]} */
	const reported = [];
	const original = console.error;
	console.error = (error) => reported.push(error.message);
	try {
		tunnel.on('state', () => {
			throw new Error('mine');
		});
		const { promise, resolve } = (() => {
			let done = () => {};
			const wait = new Promise((r) => {
				done = () => r(undefined);
			});
			return { promise: wait, resolve: done };
		})();
		tunnel.on('state', resolve);
		program.events.push({ kind: EVENT.state, id: 2 });
		program.imports.event();
		await tasks.run();
		await promise;
	} finally {
		console.error = original;
	}
	assert.deepEqual(reported, ['mine']);
});

test('notices of the server are told', async () => {
	const { tunnel, program, tasks, logged } = await makeReady();
	/** @type {any[]} */
	const notices = [];
	tunnel.on('notice', (notice) => notices.push([notice.level, notice.name, notice.text]));
	program.events.push({ kind: EVENT.notice, a: 1, b: 20, text: 'restart at noon' });
	program.imports.event();
	await tasks.run();
	assert.deepEqual(notices, [['warn', 'draining', 'restart at noon']]);
	assert.deepEqual(logged, ['warn sockmux: restart at noon']);
});

test('stats show live and ended streams, the ended ones bounded', async () => {
	const { tunnel, program, tasks } = await makeReady();
	program.figures = { rtt: 2000, unacknowledged: 7 };
	const live = open(tunnel, '2001:db8::1');
	/** @type {any[]} */
	const ended = [];
	tunnel.on('streamend', (stream) => ended.push(stream.id));
	for (let i = 0; i < 120; i++) {
		const { stream } = open(tunnel);
		program.events.push({ kind: EVENT.closed, id: stream.id, a: i === 119 ? 1 : 0, text: i === 119 ? 'nobody listens' : '' });
	}
	program.imports.event();
	await tasks.run();
	tunnel.open({ kind: KIND.accept, host: '', port: 5, name: '192.0.2.7:99' });
	assert.equal(tunnel.stats().streams.at(-1)?.target, '192.0.2.7:99', 'what was accepted is named by its other end');
	const stats = tunnel.stats();
	assert.deepEqual([stats.url, stats.rttMs, stats.unacknowledged, stats.opened, stats.streams.length, ended.length], ['wss://h/v1/connect', 2, 7, 122, 102, 120]);
	assert.deepEqual([stats.streams[0].id, stats.streams[0].target, stats.streams[0].state, stats.streams[0].code], [live.stream.id, '[2001:db8::1]:80', 'connecting', null]);
	const { state, code, name, text } = stats.streams[100];
	assert.deepEqual([state, code, name, text], ['closed', 1, 'refused', 'nobody listens']);
	assert.deepEqual([tunnel.status.lastError?.target, tunnel.status.lastError?.name], ['h:80', 'refused']);
});

test('a load that fails ends every stream, with one line; a later stream tries again only after a while', async (t) => {
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	let loads = 0;
	const { tunnel, tasks, logged } = make({ start: async () => {
		loads++;
		throw new Error('https://h/sockmux.wasm: the server answered 404');
	} });
	const all = [open(tunnel), open(tunnel), open(tunnel)];
	await settled();
	await tasks.run();
	for (const { told } of all) assert.deepEqual(told, ['close not_connected the wasm could not be started: https://h/sockmux.wasm: the server answered 404']);
	assert.equal(logged.length, 1);
	assert.match(logged[0], /^error sockmux: the wasm could not be started: .*404.*wasm-unsafe-eval/);
	assert.equal(tunnel.status.state, 'failed');
	now = 100;
	const soon = open(tunnel);
	await tasks.run();
	assert.match(soon.told[0], /^close not_connected .*404/);
	now = 10_000;
	const later = open(tunnel);
	await settled();
	await tasks.run();
	assert.match(later.told[0], /^close not_connected .*404/);
	assert.deepEqual([loads, logged.length], [2, 1]);
});

test('a program that crashes ends its streams; the next stream gets a fresh one', async (t) => {
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	const { tunnel, program, programs, tasks, logged } = await makeReady();
	program.imports.carrierDial(1, 1024);
	const { told } = open(tunnel);
	now = 60_000;
	program.onexit(2);
	assert.deepEqual(told, []);
	await tasks.run();
	assert.deepEqual(told, ['close not_connected the tunnel has crashed: the Go program ended with code 2']);
	assert.equal(logged.length, 1);
	assert.deepEqual(FakeCarrier.made[0].closed, [[]]);
	const next = open(tunnel);
	await settled();
	await tasks.run();
	assert.equal(programs.length, 2);
	assert.equal(programs[1].calls.at(-1)?.[0], 'streamOpen');
	assert.deepEqual(next.told, []);
	program.onexit(2);
	await tasks.run();
	assert.deepEqual(next.told, [], 'the old program is nobody any more');
});

test('a tunnel that rests has ended its program, and the next stream gets a fresh one', async () => {
	const { tunnel, programs, tasks, program, logged } = await makeReady();
	let idle = 0;
	tunnel.on('idle', () => idle++);
	program.imports.carrierDial(1, 1024);
	open(tunnel);
	tunnel.resolve('h').catch(() => {});
	const calls = (/** @type {FakeProgram} */ of, /** @type {string} */ wanted) => of.calls.filter(([name]) => name === wanted);
	tunnel.rest();
	assert.equal(calls(program, 'shutdown').length, 0, 'streams live');
	for (const [, id] of calls(program, 'streamOpen')) program.events.push({ kind: EVENT.closed, id: /** @type {number} */ (id) });
	program.imports.event();
	await tasks.run();
	assert.equal(idle, 1);
	program.hangs = true;
	tunnel.rest();
	tunnel.rest();
	assert.equal(calls(program, 'shutdown').length, 1);
	assert.equal(tunnel.status.state, 'idle');
	const { stream, told } = open(tunnel);
	program.error = new Error('Go program has already exited');
	FakeCarrier.made[0].onclose?.(/** @type {any} */ ({ code: 1000, reason: '' })); // what comes late is not the new one's crash
	await settled();
	await tasks.run();
	assert.deepEqual([told, logged], [[], []]);
	assert.deepEqual(calls(programs[1], 'streamOpen').map(([, id]) => id), [stream.id]);
	program.onexit(0);
	await settled();
	assert.equal(program.stopped, true);
});

test('a trap in a call is a crash too', async () => {
	const { tunnel, program, tasks, logged } = await makeReady();
	const { stream, told } = open(tunnel);
	program.error = new WebAssembly.RuntimeError('unreachable');
	stream.write(new Uint8Array(1));
	await tasks.run();
	assert.deepEqual(told, ['close not_connected the tunnel has crashed: unreachable']);
	assert.equal(logged.length, 1);
});

test('the events of one task are a slice of it: the page has its turn between two', async (t) => {
	let now = 0;
	t.mock.method(performance, 'now', () => now);
	const { tunnel, program, tasks } = await makeReady();
	const { stream } = open(tunnel);
	await tasks.run();
	let told = 0;
	tunnel.on('notice', () => {
		told++;
		now += 3;
	});
	for (let i = 0; i < 9; i++) program.events.push({ kind: EVENT.notice, id: stream.id, text: `${i}` });
	program.imports.event();
	const slices = [];
	while (tasks.queue.length > 0) {
		const before = told;
		tasks.queue.shift()?.();
		slices.push(told - before);
	}
	assert.deepEqual(slices, [3, 3, 3, 0], 'events in tasks of 8 ms');
});

test('close ends everything for good, and lets the program say goodbye', async () => {
	const { tunnel, program, programs, tasks } = await makeReady();
	const { told } = open(tunnel);
	const before = program.resumes;
	tunnel.close();
	tunnel.close();
	assert.deepEqual(program.calls.filter(([name]) => name === 'shutdown').length, 1);
	assert.ok(program.resumes > before);
	const late = open(tunnel);
	await tasks.run();
	assert.deepEqual(told, ['close aborted sockmux was uninstalled']);
	assert.deepEqual(late.told, ['close not_connected sockmux was uninstalled']);
	assert.equal(tunnel.status.state, 'closed');
	assert.equal(programs.length, 1);
});

test('a tunnel that is closed first gives the program what was written, and resets what it has not got', async () => {
	const { tunnel, program, tasks } = await makeReady();
	const [all, cut] = [open(tunnel).stream, open(tunnel).stream];
	all.write(new Uint8Array(1000));
	cut.write(new Uint8Array(2_000_000));
	cut.closeWrite();
	tunnel.close();
	await tasks.run();
	const ends = program.calls.filter(([name]) => ['streamReset', 'streamCloseWrite', 'shutdown'].includes(String(name)));
	assert.deepEqual(ends, [['streamReset', cut.id, 9], ['shutdown']]);
});

test('the program that has said goodbye is dropped, with its carriers', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { tunnel, program } = await makeReady();
	program.hangs = true;
	program.imports.carrierDial(1, 1024);
	tunnel.close();
	await settled();
	assert.deepEqual(FakeCarrier.made[0].closed, [], 'the last bytes may still be on their way');
	program.onexit(0);
	await settled();
	assert.deepEqual(FakeCarrier.made[0].closed, [[]]);
	assert.equal(tunnel.status.state, 'closed');
});

test('close while the wasm is on its way', async () => {
	const { tunnel, programs, tasks } = make();
	const { told } = open(tunnel);
	tunnel.close();
	await settled();
	await tasks.run();
	assert.deepEqual(told, ['close aborted sockmux was uninstalled']);
	assert.equal(programs[0].ran, false);
});

test('kick and setToken reach the program', async () => {
	const { tunnel, program } = await makeReady();
	tunnel.kick();
	tunnel.setToken('new');
	assert.deepEqual(program.calls.slice(-2), [['kick'], ['setToken', 'new']]);
});
