import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as CODES from '../../src/wire/generated/code.js';
import * as EVENT from '../../src/wire/generated/event.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { MAX_ADDRESSES_BYTES } from '../../src/wire/generated/limit.js';
import { startEngine } from '../../src/engine/engine.js';
import { Tunnel } from '../../src/tunnel/tunnel.js';
import { FakeCarrier, FakeProgram } from '../fakes/program.js';
import { settled, Tasks } from '../fakes/tunnel.js';

/** An answer: 60 s, an IPv6 and an IPv4 address. */
const ANSWER = Buffer.from('001a0000003c0620010db800000000000000000000000104c0000207', 'hex');

async function make() {
	const tasks = new Tasks();
	const program = new FakeProgram();
	/** @type {string[]} */
	const said = [];
	const say = (/** @type {string} */ line) => void said.push(line);
	const tunnel = new Tunnel({
		url: 'wss://h/v1/connect', agent: 'x/1', schedule: tasks.schedule, log: { error: say, warn: say, info: say },
		start: (owner) => startEngine({ start: program.start, Native: /** @type {any} */ (FakeCarrier), probe: async () => '' }, owner),
	});
	tunnel.on('stream', () => say('stream'));
	tunnel.on('streamend', () => say('streamend'));
	tunnel.load();
	await settled();
	await tasks.run();
	/** @param {...object} events */
	const tell = async (...events) => {
		program.events.push(.../** @type {any} */ (events));
		program.imports.event();
		await tasks.run();
	};
	return { tunnel, program, said, tasks, tell };
}

test('the answer has addresses and a ttl, and the question is no socket of the page', async () => {
	const { tunnel, program, said, tell } = await make();
	const names = tunnel.resolve('db.example', { timeoutMs: 500, family: 6 });
	assert.deepEqual(program.calls.at(-1), ['streamOpen', 1, KIND.resolve, 0, 6, 500, 0, MAX_ADDRESSES_BYTES + 3, 10, 'db.example']);
	await tell({ kind: EVENT.opened, id: 1, text: '\0' }, { kind: EVENT.data, id: 1, text: ANSWER.subarray(0, 3) }, { kind: EVENT.data, id: 1, text: ANSWER.subarray(3) }, { kind: EVENT.eof, id: 1 });
	assert.deepEqual(program.calls.slice(-2), [['streamStop', 1], ['streamCloseWrite', 1]], 'the stream is given back');
	assert.deepEqual([tunnel.stats().streams, tunnel.stats().opened], [[], 0]);
	await tell({ kind: EVENT.closed, id: 1 });
	assert.deepEqual(await names, { addresses: ['2001:db8::1', '192.0.2.7'], names: [], ttl: 60 });
	assert.deepEqual([said, tunnel.stats().streams, tunnel.stats().opened], [[], [], 0]);
});

test('a name may have no address that a page can use', async () => {
	const { tunnel, tell } = await make();
	const names = tunnel.resolve('inside.example');
	await tell({ kind: EVENT.opened, id: 1, text: '\0' }, { kind: EVENT.data, id: 1, text: Buffer.from('000400000005', 'hex') }, { kind: EVENT.eof, id: 1 }, { kind: EVENT.closed, id: 1 });
	assert.deepEqual(await names, { addresses: [], names: [], ttl: 5 });
});

test('an answer for an address has its names', async () => {
	const { tunnel, tell } = await make();
	const names = tunnel.resolve('7.2.0.192.in-addr.arpa');
	const answer = Buffer.concat([Buffer.from('00100000003c010a', 'hex'), Buffer.from('db.example')]);
	await tell({ kind: EVENT.opened, id: 1, text: '\0' }, { kind: EVENT.data, id: 1, text: answer }, { kind: EVENT.eof, id: 1 }, { kind: EVENT.closed, id: 1 });
	assert.deepEqual(await names, { addresses: [], names: ['db.example'], ttl: 60 });
});

test('a name that is not there, or not sent at all, rejects with the code', async () => {
	const { tunnel, program, said, tasks, tell } = await make();
	const names = tunnel.resolve('none.example');
	const rejected = assert.rejects(names, { code: CODES.name_not_found, name: 'name_not_found', text: 'none.example has no address' });
	await tell({ kind: EVENT.closed, id: 1, a: CODES.name_not_found, text: 'none.example has no address' });
	await rejected;
	const asked = program.calls.length;
	const empty = assert.rejects(tunnel.resolve(''), { name: 'invalid_request', text: '"" is not a host name: it is empty' });
	await tasks.run();
	await empty;
	assert.deepEqual([program.calls.length, said, tunnel.status.lastError], [asked, [], null]);
});

test('a question may be given up, before it is asked and after', async () => {
	const { tunnel, program, tasks, tell } = await make();
	const controller = new AbortController();
	const names = assert.rejects(tunnel.resolve('db.example', { signal: controller.signal }), { name: 'aborted' });
	controller.abort();
	assert.deepEqual(program.calls.at(-1), ['streamReset', 1, CODES.aborted]);
	await tell({ kind: EVENT.closed, id: 1, a: CODES.aborted });
	await names;
	const asked = program.calls.length;
	const late = assert.rejects(tunnel.resolve('db.example', { signal: controller.signal }), { name: 'aborted' });
	await tell({ kind: EVENT.closed, id: 2, a: CODES.aborted });
	await tasks.run();
	await late;
	assert.deepEqual(program.calls.slice(asked), [['streamOpen', 2, KIND.resolve, 0, 0, 0, 0, MAX_ADDRESSES_BYTES + 3, 10, 'db.example'], ['streamReset', 2, CODES.aborted]]);
});

test('an answer that is malformed or too long rejects', async () => {
	const { tunnel, program, tell } = await make();
	const cut = assert.rejects(tunnel.resolve('h'), { name: 'protocol', text: 'malformed addresses' });
	await tell({ kind: EVENT.data, id: 1, text: ANSWER.subarray(0, 5) }, { kind: EVENT.eof, id: 1 }, { kind: EVENT.closed, id: 1 });
	await cut;
	const long = assert.rejects(tunnel.resolve('h'), { name: 'protocol' });
	await tell({ kind: EVENT.data, id: 2, text: Buffer.alloc(MAX_ADDRESSES_BYTES + 3) });
	assert.deepEqual(program.calls.at(-1), ['streamReset', 2, CODES.protocol]);
	await tell({ kind: EVENT.closed, id: 2, a: CODES.protocol });
	await long;
});
