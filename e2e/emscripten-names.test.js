// What C programs learn of names and addresses, from a DNS server that only the server of
// sockmux knows: fixtures/emscripten/lookup.c.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCases } from './harness/cases.js';
import { startDns } from './harness/dns.js';

const SIX = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;

const ZONE = {
	'both.example': ['2001:db8::1', '192.0.2.1', '192.0.2.2'],
	'many.example': ['127.0.0.2', '127.0.0.1'],
	'other.example': ['127.0.0.1', '127.0.0.2'],
	'1.2.0.192.in-addr.arpa': ['db.example', 'also.example'],
	[SIX]: ['six.example'],
	'1.0.0.10.in-addr.arpa': ['secret.example'],
};

/** As native Linux prints it with the same DNS server, but for the comments. */
const LINES = {
	'both': '2001:db8::1 192.0.2.1 192.0.2.2',
	'of 4': '192.0.2.1 192.0.2.2',
	'of 6': '2001:db8::1',
	'mapped': '::ffff:127.0.0.2 ::ffff:127.0.0.1',
	'missing': 'EAI_NONAME',
	'many': '127.0.0.2 127.0.0.1',
	'first of many': '127.0.0.1', // natively ECONNREFUSED: the program has to try the second by itself
	'second of many': '127.0.0.1',
	'other': '127.0.0.1 127.0.0.2',
	'first of other': '127.0.0.1',
	'second of other': 'ECONNREFUSED',
	'gethostbyname': '127.0.0.2',
	'name': 'db.example http',
	'name of 6': 'six.example 80',
	'numeric': '192.0.2.1 80',
	'no name': '192.0.2.2 80',
	'a name is required': 'EAI_NONAME',
	'denied': '10.0.0.1 80', // natively secret.example
	'loopback': 'localhost 80',
	'no room': 'EAI_OVERFLOW',
	'gethostbyaddr': 'db.example',
};

/** gethostbyname() and gethostbyaddr() of 3.x are functions of JavaScript that cannot wait. */
const OLD = { ...LINES, gethostbyname: '172.29.1.0', gethostbyaddr: '192.0.2.1' };

describe('names of C programs', () => {
	/** @type {Awaited<ReturnType<typeof startCases>>} */
	let world;
	/** @type {Awaited<ReturnType<typeof startDns>>} */
	let dns;
	before(async () => {
		dns = await startDns(ZONE);
		world = await startCases({ flags: ['--dns', dns.address, '--allow', '192.0.2.0/24:1', '--allow', '[2001:db8::/32]:1'] });
	}, { timeout: 60_000 });
	after(async () => {
		await world?.stop();
		await dns?.stop();
	});

	/** @param {string} name @param {string} lines */
	const run = async (name, lines) => {
		const { results, all } = await world.runCase({ name, kind: 'classic', title: name, program: 'cases' }, lines, 'sockmux');
		return { lines: Object.fromEntries(results.map((line) => line.split(/: (.*)/, 2))), all: all.join('\n') };
	};

	for (const name of ['lookup-jspi-6', 'lookup-pthread-6', 'lookup-asyncify-library-6', 'lookup-pthread-3']) {
		test(`${name}: every address, and names of addresses`, async () => {
			const { lines, all } = await run(name, 'lookup');
			assert.deepEqual(lines, name.endsWith('-3') ? { ...OLD, gethostbyname: lines.gethostbyname } : LINES, all);
			if (name.endsWith('-3')) assert.match(lines.gethostbyname, /^172\.29\./);
		});
	}

	test('a stack that cannot wait gets an address that stands for the name, and the peer\'s own', async () => {
		const { lines, all } = await run('lookup-asyncify-6', 'cover');
		assert.match(lines['made up'], /^172\.29\./, all);
		assert.deepEqual([lines.peer, lines.getnameinfo, lines['its name']], ['127.0.0.1', '0', 'other.example'], all);
	});
});
