import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchDNS } from '../../src/sockfs/names/dns.js';

/** Emscripten's, in which the second byte of the counter is not shifted. */
function emscriptenDNS() {
	const DNS = {
		address_map: { id: 1, addrs: /** @type {Record<string, string>} */ ({}), names: /** @type {Record<string, string>} */ ({}) },
		lookup_name(/** @type {string} */ name) {
			if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return name;
			const map = DNS.address_map;
			if (map.addrs[name]) return map.addrs[name];
			const id = map.id++;
			const addr = `172.29.${id & 255}.${id & 0xff00}`;
			map.names[addr] = name;
			map.addrs[name] = addr;
			return addr;
		},
		lookup_addr: (/** @type {string} */ addr) => DNS.address_map.names[addr] ?? null,
	};
	return DNS;
}

/** What the program's memory keeps of an address: four bytes. @param {string} addr */
const inMemory = (addr) => addr.split('.').map((part) => Number(part) & 255).join('.');

/** @param {number} count */
const wrong = (count) => {
	const DNS = emscriptenDNS();
	return { DNS, count: () => Array.from({ length: count }, (_, i) => `h${i}.test`).filter((name) => DNS.lookup_addr(inMemory(DNS.lookup_name(name))) !== name).length };
};

test('each of 70000 names gets back what it was', () => {
	const { DNS, count } = wrong(70_000);
	patchDNS(DNS);
	assert.equal(count(), 0);
	assert.equal(count(), 0, 'the second time, from the map');
});

test('without it they do not (the test can fail)', () => {
	assert.ok(wrong(600).count() > 300);
});

test('literals and the first names are as before', () => {
	const DNS = emscriptenDNS();
	patchDNS(DNS);
	assert.equal(DNS.lookup_name('192.0.2.1'), '192.0.2.1');
	assert.equal(DNS.lookup_name('first.test'), '172.29.1.0');
});

test('when the addresses are used up, no name gets another\'s', () => {
	const DNS = emscriptenDNS();
	patchDNS(DNS);
	DNS.lookup_name('a.test');
	DNS.address_map.id = 3 * 65536;
	assert.equal(DNS.lookup_name('z.test'), '0.0.0.0');
	assert.equal(DNS.lookup_addr('172.29.1.0'), 'a.test');
});

test('a mended DNS is left as it is, and so is one of another form', () => {
	const DNS = emscriptenDNS();
	DNS.lookup_name = (name) => {
		const id = DNS.address_map.id++;
		const addr = `172.29.${id >> 8}.${id & 255}`;
		DNS.address_map.names[addr] = name;
		return addr;
	};
	patchDNS(DNS);
	for (let i = 0; i < 300; i++) DNS.lookup_name(`h${i}.test`);
	assert.equal(DNS.lookup_addr('172.29.1.0'), 'h255.test');
	for (const other of [undefined, {}, { lookup_name: () => 'x' }]) assert.doesNotThrow(() => patchDNS(other)());
});

test('it can be taken away', () => {
	const DNS = emscriptenDNS();
	const { lookup_name: before } = DNS;
	patchDNS(DNS)();
	assert.equal(DNS.lookup_name, before);
});

test('localhost and forms of addresses are themselves, and what is no address is no host', () => {
	const DNS = emscriptenDNS();
	patchDNS(DNS);
	assert.deepEqual(['localhost', '127.1', '10.0.0.1', '256.1.1.1', '127.0.0.1.5'].map((name) => DNS.lookup_name(name)),
		['127.0.0.1', '127.0.0.1', '10.0.0.1', '0.0.0.0', '0.0.0.0']);
	assert.equal(DNS.address_map.id, 1);
});
