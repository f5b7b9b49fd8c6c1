import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLookup } from '../../src/sockfs/names/lookup.js';
import { nameCalls } from '../../src/sockfs/names/name-calls.js';
import { judgeHost, judgeName, portOf } from '../../src/sockfs/names/names.js';
import { FakeConnector, FakeEmscripten } from '../fakes/emscripten.js';
import { settled } from '../fakes/tunnel.js';

describe('judgeName', () => {
	test('forms of an address', () => {
		for (const [text, address] of [['127.0.0.1', '127.0.0.1'], ['1.2.3', '1.2.0.3'], ['127.1', '127.0.0.1'], ['0x7f.1', '127.0.0.1'], ['0', '0.0.0.0'],
			['0x7f000001', '127.0.0.1'], ['017700000001', '127.0.0.1'], ['localhost', '127.0.0.1'], ['A.LocalHost.', '127.0.0.1'], ['255.255.255.255', '255.255.255.255']]) {
			assert.deepEqual(judgeName(text), { kind: 'address', address }, text);
		}
	});

	test('no names', () => {
		for (const text of ['', '.', '256.1.1.1', '127.0.0.1.5', '1.2.3.4.', '4294967296', '08.1.1.1', '1e3.0.0.1', 'x.invalid', '127.0.0.1 ', 'a..b', '-a.test', `${'a'.repeat(64)}.test`, 'a/b']) {
			assert.deepEqual(judgeName(text), { kind: 'none' }, text);
		}
	});

	test('names', () => {
		for (const text of ['a', 'a.test', '_srv.a.test', '1.a', 'a-b.c0', 'bücher.test', '::1', '3com.com']) assert.deepEqual(judgeName(text), { kind: 'name', name: text }, text);
	});
});

test('gethostbyname() takes only digits and dots for an address', () => {
	for (const text of ['0x7f000001', '127.0.0.0x1', '0x']) assert.deepEqual(judgeHost(text), { kind: 'none' }, text);
	for (const text of ['127.1', 'localhost', '0177.1', 'a.test', '127.0.0.1.5']) assert.deepEqual(judgeHost(text), judgeName(text), text);
});

test('services have their ports', () => {
	assert.deepEqual(['http', 'https', 'redis', 'postgresql', '80', ' 80', '080', '70000'].map(portOf), [80, 443, 6379, 5432, 80, 80, 80, 4464]);
	assert.deepEqual(['nosuch', 'HTTP', '80x', '-1', 'constructor'].map(portOf), [null, null, null, null, null]);
});

describe('createLookup', () => {
	test('asks once, and remembers what came', async () => {
		/** @type {string[]} */
		const asked = [];
		let changes = 0;
		const lookup = createLookup(async (name) => {
			asked.push(name);
			if (name === 'b.test') throw Object.assign(new Error('no such name'), { name: 'name_not_found' });
			if (name === 'c.test') throw Object.assign(new Error('denied'), { name: 'denied' });
		}, () => void changes++);
		const names = ['a.test', 'b.test', 'c.test'];
		assert.deepEqual(names.map(lookup), ['asking', 'asking', 'asking']);
		await settled();
		assert.equal(changes, 3);
		assert.deepEqual(names.map(lookup), ['found', 'missing', 'found'], 'connect() tells what is denied');
		assert.deepEqual(asked, names);
	});
});

describe('the calls', () => {
	const NODE = 64;
	const SERVICE = 128;
	const HINT = 256;
	const OUT = 320;
	const INFO = 400;
	const SOCKADDR = 440;

	/** @param {{ lookup?: (name: string) => any, canWait?: boolean, wide?: boolean }} [options] */
	function start({ lookup, canWait = false, wide = false } = {}) {
		const emscripten = new FakeEmscripten();
		const connector = Object.assign(new FakeConnector(canWait), { lookup });
		const bytes = new Uint8Array(emscripten.heap.buffer);
		const view = new DataView(emscripten.heap.buffer);
		const put = (/** @type {string} */ text, /** @type {number} */ at) => bytes.set(new TextEncoder().encode(`${text}\0`), at);
		/** @type {any[][]} */
		const reached = [];
		const pointer = (/** @type {number} */ value) => (wide ? BigInt(value) : value);
		// Emscripten's: one address, of the form 172.29.a.b, and the port of a number.
		const own = (/** @type {any} */ node, /** @type {any} */ service, /** @type {any} */ hint, /** @type {any} */ out) => {
			reached.push([node, service, hint && view.getInt32(Number(hint), true)]);
			bytes.set([172, 29, 1, 0], SOCKADDR + 4);
			view.setInt32(INFO + 4, 2, true);
			if (wide) view.setBigUint64(INFO + 24, BigInt(SOCKADDR), true);
			else view.setUint32(INFO + 20, SOCKADDR, true);
			if (wide) view.setBigUint64(Number(out), BigInt(INFO), true);
			else view.setUint32(Number(out), INFO, true);
			return 0;
		};
		const { getaddrinfo, _emscripten_lookup_name: byName } = nameCalls(emscripten.program, connector);
		/** @param {string} node @param {string | null} service @param {number | null} [flags] */
		const ask = (node, service, flags = null) => {
			put(node, NODE);
			if (service !== null) put(service, SERVICE);
			if (flags !== null) view.setInt32(HINT, flags, true);
			const result = getaddrinfo(own)(pointer(NODE), pointer(service === null ? 0 : SERVICE), pointer(flags === null ? 0 : HINT), pointer(OUT));
			return result || [...bytes.subarray(SOCKADDR + 4, SOCKADDR + 8)].join('.');
		};
		const lookupName = (/** @type {string} */ name) => {
			put(name, NODE);
			return byName(() => 0x01020304)(NODE);
		};
		return { emscripten, connector, reached, view, ask, lookupName, port: () => view.getUint16(SOCKADDR + 2) };
	}

	test('addresses are put right, names keep the address that stands for them', () => {
		for (const wide of [false, true]) {
			const { ask, port } = start({ wide });
			assert.equal(ask('localhost', 'http'), '127.0.0.1');
			assert.equal(port(), 80);
			assert.equal(ask('a.test', '443'), '172.29.1.0');
			assert.equal(port(), 443);
		}
	});

	test('what cannot be fails', () => {
		const { ask, reached } = start();
		assert.deepEqual(['', '256.1.1.1', '127.0.0.1.5', 'x.invalid'].map((node) => ask(node, null)), [-2, -2, -2, -2]);
		assert.deepEqual([ask('a.test', 'nosuch'), ask('a.test', '80x'), ask('a.test', 'http', 0x400), ask('a.test', null, 4)], [-8, -8, -2, -2]);
		assert.deepEqual(reached, []);
	});

	test('AI_ADDRCONFIG is no reason to fail', () => {
		const { ask, reached, view } = start();
		assert.equal(ask('a.test', null, 0x22), '172.29.1.0');
		assert.equal(reached[0][2], 2);
		assert.equal(view.getInt32(HINT, true), 0x22);
	});

	test('a name is asked for where the caller can wait', () => {
		/** @type {Record<string, any>} */
		const states = { 'a.test': 'asking', 'b.test': 'missing' };
		const { emscripten: { call }, ask } = start({ lookup: (name) => states[name] });
		assert.equal(ask('b.test', null), '172.29.1.0', 'this one cannot');
		call.retries = true;
		assert.equal(ask('b.test', null), -2);
		ask('a.test', null);
		assert.ok(call.wait && call.wait.until > performance.now());
		call.wait = null;
		states['a.test'] = 'found';
		assert.equal(ask('a.test', null), '172.29.1.0');
		assert.equal(call.wait, null);
	});

	test('a thread that may block waits for the answer', () => {
		let state = 'asking';
		const { connector, ask } = start({ lookup: () => state, canWait: true });
		connector.meanwhile = [() => {}, () => {
			state = 'missing';
		}];
		assert.equal(ask('b.test', null), -2);
	});

	test('gethostbyname() gives addresses, and no other host\'s', () => {
		const { lookupName } = start();
		assert.deepEqual(['localhost', '256.1.1.1', 'a.test'].map(lookupName), [0x0100007f, 0, 0x01020304]);
	});
});
