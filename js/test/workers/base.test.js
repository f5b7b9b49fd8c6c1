import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveAgainst } from '../../src/workers/base.js';

test('relative URLs resolve against the worker\'s own script, absolute ones stay', () => {
	/** @type {unknown[][]} */
	const calls = [];
	class XMLHttpRequest {
		/** @param {unknown[]} args */
		open(...args) {
			calls.push(['open', ...args]);
		}
	}
	const scope = {
		importScripts: (/** @type {unknown[]} */ ...urls) => calls.push(['importScripts', ...urls]),
		fetch: (/** @type {unknown[]} */ ...args) => calls.push(['fetch', ...args]),
		XMLHttpRequest,
	};
	resolveAgainst(scope, 'https://site.test/app/webr-worker.js');
	scope.importScripts('R.js', 'https://cdn.test/x.js');
	scope.fetch('/R.wasm', { method: 'GET' });
	const request = new URL('https://other.test/');
	scope.fetch(request);
	const xhr = new scope.XMLHttpRequest();
	xhr.open('GET', 'vfs/a', false);
	xhr.open('GET', 'http://[bad', true);
	assert.deepEqual(calls, [
		['importScripts', 'https://site.test/app/R.js', 'https://cdn.test/x.js'],
		['fetch', 'https://site.test/R.wasm', { method: 'GET' }],
		['fetch', request, undefined],
		['open', 'GET', 'https://site.test/app/vfs/a', false],
		['open', 'GET', 'http://[bad', true],
	]);
});

test('a scope that lacks some of them is no error', () => {
	assert.doesNotThrow(() => resolveAgainst({ importScripts: () => {} }, 'https://site.test/w.js'));
});

test('location and constructors that take a URL are those of the worker\'s own script', () => {
	class Source {
		/** @param {string} url */
		constructor(url) {
			this.url = url;
		}
	}
	const scope = /** @type {any} */ ({ importScripts() {}, EventSource: Source, Request: Source, location: 'blob:x' });
	resolveAgainst(scope, 'https://site.test/app/w.js?a=1');
	assert.equal(scope.location.search, '?a=1');
	assert.equal(new scope.EventSource('events').url, 'https://site.test/app/events');
	assert.equal(new scope.Request('/x').url, 'https://site.test/x');
	assert.ok(new scope.Request('x') instanceof Source);
});
