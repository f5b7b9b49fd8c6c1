import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRedirect, redirected } from '../../src/http/redirect.js';

const again = () => ({ stream: new Blob(['b']).stream(), length: 1, again });

/** @param {Partial<import('../../src/http/request.js').Outgoing>} [more] */
const request = (more) => /** @type {import('../../src/http/request.js').Outgoing} */ ({
	url: 'https://a.example/x#part', method: 'POST', body: again(), tls: { roots: '', onlyRoots: false, pins: [] },
	headers: new Headers({ 'content-type': 'text/x', authorization: 'a', 'x-own': 'y' }), ...more,
});

test('methods and bodies', () => {
	for (const [status, method, wanted] of /** @type {[number, string, string][]} */ ([
		[301, 'POST', 'GET'], [302, 'POST', 'GET'], [303, 'POST', 'GET'], [303, 'PUT', 'GET'], [301, 'PUT', 'PUT'], [307, 'POST', 'POST'], [308, 'DELETE', 'DELETE'], [303, 'HEAD', 'HEAD'],
	])) {
		const next = redirected(request({ method }), { status, location: '/y' }, 0);
		assert.deepEqual([next?.method, next?.url, next?.body !== null, next?.headers.has('content-type')], [wanted, 'https://a.example/y#part', wanted === method, wanted === method], `${status} ${method}`);
	}
});

test('another origin gets no credentials', () => {
	for (const [location, kept] of /** @type {[string, boolean][]} */ ([['https://a.example/', true], ['http://a.example/', false], ['https://a.example:444/', false], ['//b.example/', false]])) {
		const next = redirected(request(), { status: 307, location }, 0);
		assert.deepEqual([next?.headers.has('authorization'), next?.headers.get('x-own')], [kept, 'y'], location);
	}
});

test('what is no redirect, and what is refused', () => {
	assert.equal(redirected(request(), { status: 302, location: null }, 0), null);
	for (const [location, count, words] of /** @type {[string, number, RegExp][]} */ ([
		['file:///x', 0, /a redirect to file: is not followed/], ['http://', 0, /is no URL/], ['/y', 20, /more than 20/], ['https://u:p@a.example/', 0, /user name or password/],
	])) assert.throws(() => redirected(request(), { status: 302, location }, count), { name: 'TypeError', message: words });
	const once = { stream: new Blob([]).stream(), length: -1, again: null };
	assert.throws(() => redirected(request({ body: once }), { status: 307, location: '/' }, 0), /would send a stream again/);
	assert.equal(redirected(request({ body: once }), { status: 303, location: '/' }, 0)?.body, null);
	assert.deepEqual([200, 300, 301, 302, 303, 304, 307, 308].map(isRedirect), [false, false, true, true, true, false, true, true]);
});
