import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byBrowser, leavesOut } from '../../../src/webr/urls/browser.js';

/** @param {Record<string, any>} answer  what the request has when it has been sent; error: what send() throws */
function scopeWith({ error, ...answer }) {
	/** @type {any[]} */
	const calls = [];
	class XMLHttpRequest {
		open(/** @type {any[]} */ ...args) {
			calls.push(['open', ...args]);
		}

		setRequestHeader(/** @type {any[]} */ ...args) {
			calls.push(['header', ...args]);
		}

		getAllResponseHeaders() {
			return answer.fields ?? '';
		}

		send() {
			if (error) throw error;
			Object.assign(this, answer);
		}
	}
	return { scope: { XMLHttpRequest }, calls };
}

const WANTED = { url: 'https://a.test/x', headers: /** @type {[string, string][]} */ ([['X-A', 'b']]), timeoutMs: 1000 };

test('asks at once, and gives what came', () => {
	const body = new ArrayBuffer(3);
	const { scope, calls } = scopeWith({ status: 404, responseURL: 'https://a.test/y', response: body, fields: 'content-type: text/csv\r\nx-b: \r\n' });
	assert.deepEqual(byBrowser(scope, WANTED), { status: 404, url: 'https://a.test/y', headers: [['content-type', 'text/csv'], ['x-b', '']], body });
	assert.deepEqual(calls, [['open', 'GET', 'https://a.test/x', false], ['header', 'X-A', 'b']]);
});

test('what the browser refuses is null; what takes too long is an error', () => {
	assert.equal(byBrowser(scopeWith({ error: Object.assign(new Error('no'), { name: 'NetworkError' }) }).scope, WANTED), null);
	assert.throws(() => byBrowser(scopeWith({ error: Object.assign(new Error('late'), { name: 'TimeoutError' }) }).scope, WANTED), { name: 'TimeoutError' });
});

test('header fields that browsers keep for themselves', () => {
	const out = (/** @type {string} */ name) => leavesOut({ ...WANTED, headers: [[name, 'x']] });
	assert.deepEqual(['Cookie', 'host', 'Sec-Fetch-Mode', 'Referer', 'Proxy-Authorization'].map(out), [true, true, true, true, true]);
	assert.deepEqual(['Authorization', 'User-Agent', 'X-Host', 'Accept'].map(out), [false, false, false, false]);
});
