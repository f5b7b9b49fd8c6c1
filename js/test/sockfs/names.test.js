import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLookup } from '../../src/sockfs/names/lookup.js';
import { nameCalls } from '../../src/sockfs/names/name-calls.js';
import { encode, readAddress } from '../../src/sockfs/calls/sockaddr.js';
import { reverseName } from '../../src/sockfs/names/reverse.js';
import { destination, judgeHost, judgeName, portOf } from '../../src/sockfs/names/names.js';
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

test('what is sent to no address goes to this machine', () => {
	assert.deepEqual(['0.0.0.0', '::', '192.0.2.1', '::1', 'a.test'].map(destination), ['127.0.0.1', '::1', '192.0.2.1', '::1', 'a.test']);
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
			return name.endsWith('.arpa') ? { addresses: [], names: ['a.test'] } : { addresses: ['192.0.2.1', '2001:db8::1'], names: [] };
		}, () => void changes++);
		const names = ['a.test', 'b.test', 'c.test', '1.2.0.192.in-addr.arpa'];
		assert.deepEqual(names.map(lookup), names.map(() => ({ state: 'asking', found: [] })));
		await settled();
		assert.equal(changes, 4);
		assert.deepEqual(names.map(lookup), [
			{ state: 'found', found: ['192.0.2.1', '2001:db8::1'] }, { state: 'missing', found: [] },
			{ state: 'found', found: [] }, { state: 'found', found: ['a.test'] },
		], 'connect() tells what is denied');
		assert.deepEqual(asked, names);
	});
});

describe('the calls', () => {
	const NODE = 1024;
	const SERVICE = 1088;
	const HINT = 1152;
	const OUT = 1216;
	const HEAP = 1280;
	const AF_UNSPEC = 0;
	const AF_INET = 2;
	const AF_INET6 = 10;

	/** @param {{ lookup?: (name: string) => any, canWait?: boolean, wide?: boolean }} [options] */
	function start({ lookup, canWait = false, wide = false } = {}) {
		const emscripten = new FakeEmscripten();
		const connector = Object.assign(new FakeConnector(canWait), { lookup });
		const bytes = new Uint8Array(emscripten.heap.buffer);
		const view = new DataView(emscripten.heap.buffer);
		const put = (/** @type {string} */ text, /** @type {number} */ at) => bytes.set(new TextEncoder().encode(`${text}\0`), at);
		const [addrAt, canonAt, nextAt] = wide ? [24, 32, 40] : [20, 24, 28];
		const store = (/** @type {number} */ at, /** @type {number} */ value) => (wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true));
		const load = (/** @type {number} */ at) => (wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
		/** @type {any[][]} */
		const reached = [];
		const made = { count: 0 };
		const pointer = (/** @type {number} */ value) => (wide ? BigInt(value) : value);
		// Emscripten's: one address, of the form 172.29.a.b, and the port of a number.
		const own = (/** @type {any} */ node, /** @type {any} */ service, /** @type {any} */ hint, /** @type {any} */ out) => {
			const [flags, family, type, protocol] = hint ? [0, 4, 8, 12].map((at) => view.getInt32(Number(hint) + at, true)) : [null, 0];
			reached.push([node, service, flags, type, protocol]);
			const info = HEAP + 96 * made.count++;
			const sockaddr = info + 48;
			bytes.fill(0x55, info, info + 96);
			view.setInt32(info + 4, family || AF_INET, true);
			view.setUint16(sockaddr, family || AF_INET, true);
			bytes.set([172, 29, 1, 0], sockaddr + (family === AF_INET6 ? 20 : 4));
			store(info + addrAt, sockaddr);
			store(info + nextAt, 0);
			store(Number(out), info);
			return 0;
		};
		const { getaddrinfo, getnameinfo, _emscripten_lookup_name: byName } = nameCalls(emscripten.program, connector);
		/** The list behind the latest call. */
		const list = () => {
			const all = [];
			for (let info = load(OUT); info !== 0; info = load(info + nextAt)) {
				const sockaddr = load(info + addrAt);
				all.push({ info, ...readAddress(bytes.buffer, sockaddr, view.getInt32(info + 4, true) === AF_INET6 ? 28 : 16) });
			}
			return all;
		};
		/** @param {string} node @param {string | null} service @param {number | null} [flags]  null: no hints @param {number} [family] */
		const ask = (node, service, flags = 0, family = AF_UNSPEC) => {
			put(node, NODE);
			if (service !== null) put(service, SERVICE);
			if (flags !== null) [flags, family, 1, 6].forEach((value, i) => view.setInt32(HINT + 4 * i, value, true));
			const result = getaddrinfo(own)(pointer(NODE), pointer(service === null ? 0 : SERVICE), pointer(flags === null ? 0 : HINT), pointer(OUT));
			return result || list().map(({ host }) => host).join(' ');
		};
		const lookupName = (/** @type {string} */ name) => {
			put(name, NODE);
			return byName(() => 0x01020304)(NODE);
		};
		/** @param {string} host @param {{ port?: number, flags?: number, room?: number }} [options] */
		const nameOf = (host, { port = 80, flags = 2, room = 64 } = {}) => {
			const address = encode(host.includes(':') ? AF_INET6 : AF_INET, host, port);
			bytes.set(address, NODE);
			const result = getnameinfo(() => 'before')(NODE, address.length, HINT, room, SERVICE, 16, flags);
			const text = (/** @type {number} */ at) => new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
			return result || `${text(HINT)} ${text(SERVICE)}`;
		};
		const canon = () => new TextDecoder().decode(bytes.slice(load(load(OUT) + canonAt), bytes.indexOf(0, load(load(OUT) + canonAt))));
		return { emscripten, connector, reached, canon, view, bytes, made, ask, list, lookupName, nameOf, port: () => list()[0].port };
	}

	/** Answers as a server does. @param {Record<string, string | null>} names */
	const answers = (names) => (/** @type {string} */ name) => (names[name] === null || names[name] === undefined
		? { state: 'missing', found: [] } : { state: 'found', found: names[name].split(' ').filter(Boolean) });

	test('addresses are put right, names keep the address that stands for them', () => {
		for (const wide of [false, true]) {
			const { ask, port } = start({ wide });
			assert.equal(ask('localhost', 'http'), '127.0.0.1 ::1');
			assert.equal(port(), 80);
			assert.equal(ask('a.test', '443'), '172.29.1.0');
			assert.equal(port(), 443);
		}
	});

	test('what cannot be fails', () => {
		const { ask, reached } = start();
		assert.deepEqual(['', '256.1.1.1', '127.0.0.1.5', 'x.invalid'].map((node) => ask(node, null)), [-2, -2, -2, -2]);
		assert.deepEqual([ask('a.test', 'nosuch'), ask('a.test', '80x'), ask('a.test', 'http', 0x400), ask('a.test', null, 4)], [-8, -8, -2, -2]);
		assert.deepEqual([ask('localhost', null, 4), ask('10.1.2.3', null, 0, AF_INET6), ask('::1', null, 0, AF_INET), ask('12:34', null)], [-2, -9, -9, -2]);
		assert.deepEqual([ask('a.test', null, 0x800), ask('a.test', null, 0, 99)], [-1, -6]);
		assert.deepEqual(reached, []);
	});

	test('AI_ADDRCONFIG is no reason to fail', () => {
		const { ask, reached, view } = start();
		assert.equal(ask('a.test', null, 0x22), '172.29.1.0');
		assert.equal(reached[0][2], 2);
		assert.equal(view.getInt32(HINT, true), 0x22);
	});

	test('every address of the family that is asked for, and the first stands for the name', () => {
		for (const wide of [false, true]) {
			const { emscripten: { call, program }, ask, list, bytes } = start({ wide, lookup: answers({ 'a.test': '2001:db8::1 192.0.2.1 192.0.2.2', 'six.test': '2001:db8::6', 'b.test': '192.0.2.9 192.0.2.1' }) });
			call.retries = true;
			bytes.fill(7, 64, 96);
			assert.equal(ask('a.test', '5432'), '2001:db8::1 192.0.2.1 192.0.2.2');
			assert.deepEqual(list().map(({ port }) => port), [5432, 5432, 5432]);
			assert.deepEqual([...bytes.subarray(64, 96)], Array(32).fill(7), 'the memory that hints were written to');
			assert.deepEqual(['2001:db8::1', '192.0.2.1'].map((one) => program.hosts.nameOf(one)), ['a.test', '192.0.2.1']);
			assert.equal(ask('a.test', '5432', 0, AF_INET), '192.0.2.1 192.0.2.2');
			assert.equal(program.hosts.nameOf('192.0.2.1'), 'a.test');
			ask('b.test', null);
			assert.deepEqual(['192.0.2.9', '192.0.2.1'].map((one) => program.hosts.nameOf(one)), ['b.test', '192.0.2.1'], 'the later list counts');
			assert.equal(ask('a.test', null, 0, AF_INET6), '2001:db8::1');
			assert.equal(ask('a.test', null, 0x18, AF_INET6), '2001:db8::1 192.0.2.1 192.0.2.2', 'AI_ALL');
			assert.equal(ask('six.test', null, 0, AF_INET), '172.29.1.0', 'a family without addresses');
			assert.equal(program.hosts.nameOf('172.29.1.0'), 'six.test');
		}
	});

	test('without hints each address has an entry for streams and one for datagrams', () => {
		for (const wide of [false, true]) {
			const { ask, list, reached } = start({ wide });
			assert.equal(ask('::1', '53', null), '::1 ::1');
			assert.deepEqual(list().map(({ port }) => port), [53, 53]);
			assert.deepEqual(reached.map(([, , , type, protocol]) => [type, protocol]), [[2, 17], [1, 6]], 'the first is made last');
			assert.equal(ask('::1%2', '53', 0), '::1');
		}
	});

	test('AI_CANONNAME gives the name, which stays', () => {
		for (const wide of [false, true]) {
			const { emscripten: { call }, ask, canon, bytes, made } = start({ wide, lookup: answers({ 'a.test': '192.0.2.1', [`${'a'.repeat(60)}.test`]: '192.0.2.2' }) });
			call.retries = true;
			ask('a.test', null, 2);
			bytes.fill(0x61, NODE, NODE + 8);
			assert.equal(canon(), 'a.test');
			const { count } = made;
			ask('a.test', null, 2);
			assert.equal(made.count, count + 1, 'the place of the text is used again');
			ask(`${'a'.repeat(60)}.test`, null, 2);
			assert.equal(canon(), `${'a'.repeat(60)}.test`, 'that of the program');
		}
	});

	test('what the C library does not free is used again, and only if nothing else has it', () => {
		const { emscripten: { call }, ask, list, made, view } = start({ lookup: answers({ 'a.test': '192.0.2.1 192.0.2.2 192.0.2.3' }) });
		call.retries = true;
		ask('a.test', '80');
		const [, second] = list();
		for (let i = 0; i < 5; i++) ask('a.test', '80');
		assert.equal(made.count, 3 + 5);
		assert.equal(list()[1].info, second.info);
		view.setInt32(second.info + 4, 1234, true);
		assert.equal(ask('a.test', '80'), '192.0.2.1 192.0.2.2 192.0.2.3');
		assert.notEqual(list()[1].info, second.info);
	});

	test('a name is asked for where the caller can wait', () => {
		/** @type {Record<string, any>} */
		const states = { 'a.test': 'asking', 'b.test': 'missing' };
		const { emscripten: { call }, ask } = start({ lookup: (name) => ({ state: states[name], found: [] }) });
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
		const { connector, ask } = start({ lookup: () => ({ state, found: [] }), canWait: true });
		connector.meanwhile = [() => {}, () => {
			state = 'missing';
		}];
		assert.equal(ask('b.test', null), -2);
	});

	test('gethostbyname() gives addresses, and no other host\'s', () => {
		const { emscripten: { call, program }, lookupName } = start({ lookup: answers({ 'a.test': '2001:db8::1', 'b.test': '2001:db8::2 192.0.2.2' }) });
		assert.deepEqual(['localhost', '256.1.1.1', 'a.test'].map(lookupName), [0x0100007f, 0, 0x01020304]);
		call.retries = true;
		assert.deepEqual(['a.test', 'b.test', 'none.test'].map(lookupName), [0x01020304, 0x020200c0, 0]);
		assert.deepEqual([program.hosts.nameOf('4.3.2.1'), program.hosts.nameOf('192.0.2.2')], ['a.test', 'b.test']);
	});

	test('an address has its name, and a port its service', () => {
		const six = reverseName('2001:db8::1');
		assert.match(six, /^1\.(0\.){23}8\.b\.d\.0\.1\.0\.0\.2\.ip6\.arpa$/);
		const { emscripten: { call, program }, nameOf } = start({ lookup: answers({ '1.2.0.192.in-addr.arpa': 'a.test b.test', [six]: 'six.test' }) });
		program.hosts.note('known.test', '192.0.2.9');
		program.hosts.note('fake.test', '172.29.4.0');
		assert.deepEqual(['192.0.2.1', '192.0.2.9', '172.29.4.0'].map((host) => nameOf(host)), ['192.0.2.1 80', 'known.test 80', 'fake.test 80'], 'cannot wait');
		call.retries = true;
		assert.deepEqual(['192.0.2.1', '2001:db8::1', '127.0.0.1', '::1', '192.0.2.2', '192.0.2.9'].map((host) => nameOf(host)),
			['a.test 80', 'six.test 80', 'localhost 80', 'localhost 80', '192.0.2.2 80', 'known.test 80']);
		assert.equal(nameOf('192.0.2.1', { flags: 1 | 2 }), '192.0.2.1 80');
		assert.deepEqual([nameOf('192.0.2.1', { flags: 0 }), nameOf('192.0.2.1', { flags: 0, port: 1 })], ['a.test http', 'a.test 1']);
		assert.deepEqual([nameOf('192.0.2.2', { flags: 8 }), nameOf('192.0.2.1', { room: 6 }), nameOf('192.0.2.1', { room: 7 })], [-2, -12, 'a.test 80']);
		assert.equal(nameOf('172.29.9.0'), 'before', 'Emscripten may know that one');
	});
});
