import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAny, parseSockfs, unbracket } from '../../src/facade/target.js';
import * as CODES from '../../src/wire/generated/code.js';
import { checkTarget } from '../../src/tunnel/target.js';

for (const host of ['example.org', 'localhost', '_dmarc.example.org', '127.0.0.1', '0x7f.1', '2130706433', '::1', '::ffff:1.2.3.4', '2001:db8::', 'bücher.example', 'xn--bcher-kva.example', 'a'.repeat(253), 'example.org.', '172.30.0.1', '172.29.example']) {
	test(`target: ${host.slice(0, 40)} may be sent`, () => assert.equal(checkTarget({ host, port: 80 }), null));
}

/** @type {[host: string, fault: RegExp][]} */
const HOSTILE = [
	['', /it is empty/],
	['a b', /a space/],
	['a\u00a0b', /control character|a space/],
	['a\r\nHost: b', /a control character/],
	['a\0b', /a control character/],
	['user@host', /a user name/],
	['host/path', /contains "\/"/],
	['host:80', /contains ":"/],
	['[::1', /contains "\["/],
	['::1%eth0', /contains ":"/],
	['1::2::3', /contains ":"/],
	['a?b', /contains "\?"/],
	['a#b', /contains "#"/],
	['a\\b', /contains/],
	['a%2eb', /contains "%"/],
	['a"b', /contains/],
	['a\u202eb', /contains/],
	['😀', /contains/],
	['a'.repeat(254), /longer than 253 bytes/],
	['ü'.repeat(127), /longer than 253 bytes/],
];
for (const [host, fault] of HOSTILE) {
	test(`target: ${JSON.stringify(host.slice(0, 40))} is refused`, () => {
		const why = checkTarget({ host, port: 80 });
		assert.equal(why?.code, CODES.invalid_request);
		assert.match(why.text, fault);
	});
}

test('target: ports from 1 to 65535', () => {
	for (const port of [1, 443, 65535]) assert.equal(checkTarget({ host: 'h', port }), null);
	for (const port of [0, -1, 65536, 1.5, NaN, Infinity]) {
		assert.deepEqual(checkTarget({ host: 'h', port })?.text, `port ${port} of "h" is not in 1 to 65535`);
	}
});

test("target: addresses of the fake DNS have a code of their own", () => {
	for (const host of ['172.29.1.0', '172.29.255.65280']) assert.equal(checkTarget({ host, port: 1 })?.code, CODES.fake_address);
});

test('parseSockfs reads only its own form', () => {
	assert.deepEqual(parseSockfs('wss://h:99999/'), { host: 'h', port: 99999 });
	assert.deepEqual(parseSockfs('ws://a@b:1/'), { host: 'a@b', port: 1 });
	assert.deepEqual(parseSockfs('ws://:1/'), { host: '', port: 1 });
	for (const url of ['http://h:1/', 'ws://h/', 'ws://h:x/', 'WS://h:1/', ' ws://h:1/', 'ws:h:1/']) assert.equal(parseSockfs(url), null, url);
});

test('parseAny fills in the port', () => {
	assert.deepEqual(parseAny('ws://h'), { host: 'h', port: 80 });
	assert.deepEqual(parseAny('wss://h:/x'), { host: 'h', port: 443 });
	assert.deepEqual(parseAny('WSS://[::1]/x'), { host: '::1', port: 443 });
	assert.deepEqual(parseAny('ws://[::1]:7?x'), { host: '::1', port: 7 });
	assert.equal(parseAny('https://h'), null);
});

test('unbracket takes brackets only from addresses', () => {
	assert.equal(unbracket('[::1]'), '::1');
	assert.equal(unbracket('[host]'), '[host]');
	assert.equal(unbracket('::1'), '::1');
});
