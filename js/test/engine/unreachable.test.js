import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnreachable } from '../../src/engine/unreachable.js';

/** @param {object} check  what the server says */
const json = (check, status = 200) => async () => new Response(JSON.stringify(check), { status });

const failed = async () => {
	throw new TypeError('Failed to fetch');
};

/** @type {[what: string, answer: (url: URL, options: any) => Promise<Response>, said: RegExp][]} */
const CASES = [
	['nothing answers', failed, /^https:\/\/h:1 cannot be reached/],
	['an answer that no script may read', (_, { mode }) => (mode === 'no-cors' ? json({})() : failed()), /was answered with a page that is not sockmux's: a proxy or a firewall/],
	['a page in its place', async () => new Response('<h1>Blocked</h1>', { status: 403 }), /was answered with status 403, and not by sockmux/],
	['another origin', json({ origin: 'https://p', allowed: false, refused: null }), /--allow-origin https:\/\/p$/],
	['an upgrade that was refused', json({ origin: 'https://p', allowed: true, refused: { status: 426, text: 'the proxy must pass Upgrade' } }), /refused the WebSocket with status 426: the proxy must pass Upgrade$/],
	['an upgrade that never came', json({ origin: 'https://p', allowed: true, refused: null }), /the WebSocket did not come to it: a proxy or a firewall/],
];

for (const [what, answer, said] of CASES) {
	test(`why a dial failed: ${what}`, async (t) => {
		const fetched = t.mock.method(globalThis, 'fetch', /** @type {any} */ (answer));
		assert.match(await whyUnreachable('wss://h:1/p/v1/connect', 'abc'), said);
		assert.equal(String(fetched.mock.calls[0].arguments[0]), 'https://h:1/p/v1/check?attempt=abc');
	});
}

test('an isolated page cannot tell a foreign answer from none, and says so', async (t) => {
	t.mock.method(globalThis, 'fetch', failed);
	/** @type {any} */ (globalThis).crossOriginIsolated = true;
	t.after(() => void delete /** @type {any} */ (globalThis).crossOriginIsolated);
	assert.match(await whyUnreachable('wss://h/v1/connect', ''), /^https:\/\/h cannot be reached, a proxy or a firewall answers in its place .*, or the Content-Security-Policy/);
});
