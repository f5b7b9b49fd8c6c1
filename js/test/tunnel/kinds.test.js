import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEngine } from '../../src/engine/engine.js';
import { KINDS } from '../../src/tunnel/kinds.js';
import { Tunnel } from '../../src/tunnel/tunnel.js';
import * as EVENT from '../../src/wire/generated/event.js';
import * as KIND from '../../src/wire/generated/kind.js';
import { FakeCarrier, FakeProgram } from '../fakes/program.js';
import { settled, Tasks } from '../fakes/tunnel.js';

/** A kind as a new one comes in: its row, its opener, and its line in the table. */
const toyRow = { socket: false, port: true };

/** @param {Tunnel} tunnel @param {string} host @param {number} port */
const askToy = (tunnel, host, port) => new Promise((resolve, reject) => {
	let answer = '';
	tunnel.open({ kind: KIND.udp, host, port, quiet: true }, {
		ondata: (bytes) => {
			answer += new TextDecoder().decode(bytes);
		},
		onclose: (why) => (why.code === 0 ? resolve(answer) : reject(new Error(`${why.name}: ${why.text}`))),
	});
});

async function make() {
	const tasks = new Tasks();
	const program = new FakeProgram();
	const quiet = () => {};
	const tunnel = new Tunnel({
		url: 'wss://h/v1/connect', agent: 'x/1', schedule: tasks.schedule, log: { error: quiet, warn: quiet, info: quiet },
		start: (owner) => startEngine({ start: program.start, Native: /** @type {any} */ (FakeCarrier), probe: async () => '' }, owner),
	});
	tunnel.load();
	await settled();
	await tasks.run();
	return { tunnel, program, tasks };
}

test('a kind in the table travels to Go as it is, and its events come back', async (t) => {
	KINDS[KIND.udp] = toyRow;
	t.after(() => Reflect.deleteProperty(KINDS, KIND.udp));
	const { tunnel, program, tasks } = await make();
	const answer = askToy(tunnel, 'example.org', 53);
	assert.deepEqual(program.calls.at(-1)?.slice(0, 4), ['streamOpen', 1, KIND.udp, 53]);
	program.events.push({ kind: EVENT.opened, id: 1, text: '\0' }, { kind: EVENT.data, id: 1, text: 'toy' }, { kind: EVENT.eof, id: 1 }, { kind: EVENT.closed, id: 1 });
	program.imports.event();
	await tasks.run();
	assert.equal(await answer, 'toy');
	assert.equal(tunnel.stats().opened, 0, 'it is no socket');
});

test('a kind that is not in the table is refused, and Go is not asked', async () => {
	const { tunnel, program, tasks } = await make();
	const asked = program.calls.length;
	const answer = assert.rejects(askToy(tunnel, 'example.org', 53), /^Error: unsupported_kind: streams of the kind 2 are not known here$/);
	await tasks.run();
	await answer;
	assert.equal(program.calls.length, asked);
});
