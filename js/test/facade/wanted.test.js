import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wanted } from '../../src/facade/wanted.js';

const ORIGIN = 'https://page.example:8443';

test('what the tunnel carries: host, port, path and subprotocols', () => {
	assert.deepEqual(wanted(['wss://h.example/a%20b?c#'.replace('#', '')], ORIGIN), { host: 'h.example', port: 443, secure: true, resource: '/a%20b?c', protocols: [] });
	assert.deepEqual(wanted([new URL('ws://[2001:db8::1]:81'), 'a'], ORIGIN), { host: '2001:db8::1', port: 81, secure: false, resource: '/', protocols: ['a'] });
	assert.deepEqual(wanted(['ws://h/', ['a', 'b.c']], ORIGIN)?.protocols, ['a', 'b.c']);
	assert.deepEqual(wanted(['https://h.example/x'], ORIGIN), { host: 'h.example', port: 443, secure: true, resource: '/x', protocols: [] });
	assert.deepEqual(wanted(['HTTP://h.example:443'], ORIGIN), { host: 'h.example', port: 443, secure: false, resource: '/', protocols: [] });
	assert.equal(wanted(['ws://page.example/'], ORIGIN)?.host, 'page.example', 'another port is another server');
});

test('what stays the browser\'s', () => {
	for (const args of [[], ['x'], ['ftp://h/'], ['ws://h/#'], ['ws://u@h/'], ['ws://:p@h/'], ['ws://h/#f'], ['wss://page.example:8443/'], ['ws://page.example:8443/x'], ['ws://h/', ['a', 'a']], ['ws://h/', ['a b']], ['ws://h/', ''], ['ws://h/', 5]]) {
		assert.equal(wanted(args, ORIGIN), null, JSON.stringify(args));
	}
});
