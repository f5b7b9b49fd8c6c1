// A WebSocket that does not come about, behind things as they stand between pages and
// servers: the page is told what it is.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { reset } from './harness/reset.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite({
	async ready({ alsoStop }) {
		for (const [name, middle] of Object.entries(MIDDLES)) {
			const started = await startMiddle(middle);
			alsoStop(started);
			origins[name] = started.origin;
		}
	},
});

/** @type {Record<string, string>} */
const origins = {};

/**
 * What may be done with a request's head on its way to the server: text for the server,
 * or an answer of its own, or null to reset.
 * @typedef {(head: string) => { pass: string } | { answer: string } | null} Middle
 */

const upgrade = (/** @type {string} */ head) => /^upgrade: *websocket/im.test(head);

const page = (/** @type {number} */ status) => `HTTP/1.1 ${status} Blocked\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<h1>Blocked</h1`;

/** @type {Record<string, Middle>} */
const MIDDLES = {
	/** nginx's proxy_pass alone: hop-by-hop headers end there (RFC 9110, 7.6.1). */
	'no upgrade': (head) => ({ pass: head.replace(/^(upgrade|connection):.*\r\n/gim, '') }),
	'no subprotocol': (head) => ({ pass: head.replace(/^sec-websocket-protocol:.*\r\n/gim, '') }),
	'reset': (head) => (upgrade(head) ? null : { pass: head }),
	'firewall, upgrades only': (head) => (upgrade(head) ? { answer: page(403) } : { pass: head }),
	'firewall': (head) => (/^GET \/(sockmux|assets)/.test(head) ? { pass: head } : { answer: page(403) }),
};

/** An HTTP proxy on loopback that closes after each answer. @param {Middle} middle */
async function startMiddle(middle) {
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set();
	const server = createServer((client) => {
		sockets.add(client);
		client.on('close', () => sockets.delete(client)).on('error', () => client.destroy());
		let head = '';
		const gather = (/** @type {Buffer} */ data) => {
			head += data.toString('latin1');
			if (!head.includes('\r\n\r\n')) return;
			client.off('data', gather);
			const what = middle(head);
			if (what === null) {
				reset(client);
				return;
			}
			if ('answer' in what) {
				client.end(what.answer);
				return;
			}
			const text = upgrade(what.pass) ? what.pass : what.pass.replace(/^connection:.*\r\n/gim, '').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
			const upstream = connect(world.sockmux.port, '127.0.0.1');
			upstream.on('error', () => client.destroy());
			upstream.write(Buffer.from(text, 'latin1'));
			client.pipe(upstream).pipe(client);
		};
		client.on('data', gather);
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	return {
		origin: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
		async stop() {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => { server.close(resolve); });
		},
	};
}

/**
 * What a page is told whose server is at an origin.
 * @param {string} origin
 * @param {{ worker?: boolean }} [options]
 */
async function told(origin, options = {}) {
	const fresh = await world.newPage();
	await fresh.addInitScript((given) => {
		/** @type {any} */ (globalThis).sockmux = given;
	}, { url: origin, ...options });
	await fresh.goto(`${world.site.origin}/bare.html`);
	const text = await fresh.evaluate((port) => {
		const socket = /** @type {any} */ (globalThis).sockmux.connect('127.0.0.1', port);
		return socket.opened.then(() => 'opened', (/** @type {any} */ error) => `${error.code}: ${error.message}`);
	}, world.targets.ports.echo);
	await until(() => fresh.lines.some((line) => line.includes(origin)), 'a line on the console');
	await fresh.context().close();
	return text;
}

/** @type {[name: string, says: RegExp][]} */
const CASES = [
	['no upgrade', /refused the WebSocket with status 426: .*the proxy must pass Upgrade and Connection on$/],
	['no subprotocol', /refused the WebSocket with status 400: .*a proxy that drops Sec-WebSocket-Protocol$/],
	['reset', /answers, but the WebSocket did not come to it: a proxy or a firewall on the way ended the connection or answered in its place$/],
	['firewall, upgrades only', /answers, but the WebSocket did not come to it: a proxy or a firewall/],
	['firewall', /cannot be reached, a proxy or a firewall answers in its place \(the network tab of the browser shows that\), or the Content-Security-Policy/],
];

for (const [name, says] of CASES) {
	test(`${name}: the page is told`, { timeout: 60_000 }, async () => {
		const text = await told(origins[name]);
		assert.match(text, /^not_connected: /);
		assert.match(text, says);
		assert.doesNotMatch(text, /--allow-origin/);
	});
}

test('in a worker too', { timeout: 60_000 }, async () => {
	assert.match(await told(origins['no upgrade'], { worker: true }), CASES[0][1]);
});

test('another origin: the flag is named, with the origin', { timeout: 60_000 }, async () => {
	const strict = await startSockmux([]);
	try {
		assert.match(await told(strict.origin), new RegExp(`the server must be started with --allow-origin ${world.site.origin}$`));
	} finally {
		await strict.stop();
	}
});
