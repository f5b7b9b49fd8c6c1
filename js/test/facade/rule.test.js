import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRule } from '../../src/facade/rule.js';

const PAGE = { origin: 'https://page.example:8443', report: () => {} };

/** @type {[name: string, match: any, url: unknown, protocols: unknown, expected: object | null][]} */
const CASES = [
	['SOCKFS of webR', 'sockfs', 'wss://db.example:5432/', ['binary'], { host: 'db.example', port: 5432 }],
	['SOCKFS, protocol as a string', 'sockfs', 'ws://db.example:5432/', 'binary', { host: 'db.example', port: 5432 }],
	['the default ports are not lost', 'sockfs', 'wss://db.example:443/', 'binary', { host: 'db.example', port: 443 }],
	['IPv6 in brackets', 'sockfs', 'ws://[2001:db8::1]:80/', 'binary', { host: '2001:db8::1', port: 80 }],
	['IPv6 bare, as a program may give it', 'sockfs', 'ws://2001:db8::1:80/', 'binary', { host: '2001:db8::1', port: 80 }],
	['a path', 'sockfs', 'ws://db.example:6080/websockify', 'binary', null],
	['a path that looks like a second host', 'sockfs', 'ws://evil:80/good.example:80/', 'binary', null],
	['a query', 'sockfs', 'ws://db.example:6080/?token=1', 'binary', null],
	['a query that ends like a port', 'sockfs', 'ws://db.example?x:6080/', 'binary', null],
	['a fragment', 'sockfs', 'ws://db.example:6080/#x', 'binary', null],
	['a pattern and a path', '*', 'ws://db.example:6080/websockify', 'binary', null],
	['programs: code of the page', 'programs', 'ws://db.example:6080/', 'binary', null],
	['no subprotocol', 'sockfs', 'ws://db.example:5432/', undefined, null],
	['another subprotocol', 'sockfs', 'ws://db.example:5432/', 'chat', null],
	['two subprotocols', 'sockfs', 'ws://db.example:5432/', ['binary', 'base64'], null],
	['no port', 'sockfs', 'ws://db.example/', 'binary', null],
	['no slash', 'sockfs', 'ws://db.example:1', 'binary', null],
	['the page itself', 'sockfs', 'wss://page.example:8443/', 'binary', null],
	['the page itself, with a path', 'sockfs', 'wss://page.example:8443/echo', 'binary', null],
	['a URL object', 'sockfs', new URL('ws://db.example:5432/'), 'binary', null],
	['none', 'none', 'ws://db.example:5432/', 'binary', null],
	['all-binary takes a path', 'all-binary', 'wss://db.example/ws?x=1', 'binary', { host: 'db.example', port: 443 }],
	['all-binary keeps the page', 'all-binary', 'wss://page.example:8443/ws', 'binary', null],
	['a pattern that fits', '*.example:5432, 10.0.0.1', 'ws://db.example:5432/', 'binary', { host: 'db.example', port: 5432 }],
	['case does not matter', ['DB.Example'], 'ws://db.eXample:1/', 'binary', { host: 'db.eXample', port: 1 }],
	['every port of an address', '127.0.0.1:*', 'ws://127.0.0.1:5432/', 'binary', { host: '127.0.0.1', port: 5432 }],
	['a network', '10.0.0.0/8:5000-6000', 'ws://10.1.2.3:5432/', 'binary', { host: '10.1.2.3', port: 5432 }],
	['a pattern with another port', '*.example:5432', 'ws://db.example:80/', 'binary', null],
	['*.NAME is not NAME', '*.example', 'ws://example:80/', 'binary', null],
	['* with a port', '*:80', 'ws://x:80/', 'binary', { host: 'x', port: 80 }],
	['an IPv6 pattern', '[::1]:80', 'ws://[::1]:80/', 'binary', { host: '::1', port: 80 }],
	['a function that says yes', () => true, 'ws://a:1/', 'chat', { host: 'a', port: 1 }],
	['a function that says no', () => false, 'ws://a:1/', 'binary', null],
	['a function that gives a target', () => ({ host: '[::1]', port: '8' }), 'ws://a:1/', undefined, { host: '::1', port: 8 }],
	['yes to what is no URL', () => true, 'nonsense', 'binary', { host: 'nonsense', port: 0 }],
];

for (const [name, match, url, protocols, expected] of CASES) {
	test(`rule: ${name}`, () => assert.deepEqual(createRule(match, PAGE)(url, protocols), expected));
}

test('rule: programs means sockets of a layer, and those that wasm makes', () => {
	const rule = createRule('programs', PAGE);
	const target = { host: 'db.example', port: 5432 };
	assert.deepEqual(rule('ws://db.example:5432/', 'binary', true), target);
	assert.deepEqual(calledBy('wasm-function[7]', () => rule('ws://db.example:5432/', 'binary')), target);
	assert.equal(rule('ws://db.example:5432/x', 'binary', true), null);
});

test('rule: what Emscripten\'s WebSockets API makes is native', () => {
	const made = (/** @type {string} */ match) => calledBy('_emscripten_websocket_new', () => createRule(match, PAGE)('ws://db.example:5432/', 'binary'));
	for (const match of ['sockfs', 'programs', '*']) assert.equal(made(match), null, match);
});

/**
 * Calls a function from one whose name is in the call stack.
 * @template T
 * @param {string} name
 * @param {() => T} run
 * @returns {T}
 */
function calledBy(name, run) {
	return { [name]: () => run() }[name]();
}

test('rule: a function that throws is reported and leaves the socket native', () => {
	/** @type {unknown[]} */
	const reported = [];
	const error = new Error('mine');
	const rule = createRule(() => {
		throw error;
	}, { origin: 'null', report: (given) => reported.push(given) });
	assert.equal(rule('ws://a:1/', 'binary'), null);
	assert.deepEqual(reported, [error]);
});

test('rule: what is none of the forms is refused by name', () => {
	for (const match of ['', [], ['a b'], 'http://x', ['*x'], 'a:b', 7]) {
		assert.throws(() => createRule(/** @type {any} */ (match), PAGE), { name: 'TypeError', message: /^match: / }, JSON.stringify(match));
	}
});
