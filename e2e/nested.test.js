// Workers that a worker of the page starts: programs in them block, through the page's session,
// whatever the worker between does. The page has the script tag and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const world = suite();

const LINE = 'a line that was sent';

/**
 * Opens a page with an outer worker. `act` sends it acts (pages/nested/outer.js), `said` is what has come up.
 * @param {{ tag?: boolean }} [options]
 */
async function open({ tag = true } = {}) {
	const page = await world.newPage();
	world.site.pages.set('/nested.html', `<!doctype html><meta charset="utf-8"><title>nested</title>
		${tag ? `<script src="${world.sockmux.origin}/sockmux.js"></script>` : ''}
		<script>
			globalThis.said = [];
			globalThis.outer = new Worker('/nested/outer.js');
			outer.onmessage = ({ data }) => said.push(data);
		</script>`);
	await page.goto(`${world.site.origin}/nested.html`);
	const said = (/** @type {string | RegExp} */ wanted) => until(async () => {
		const lines = /** @type {string[]} */ (await page.evaluate(() => /** @type {any} */ (globalThis).said));
		return lines.find((line) => (typeof wanted === 'string' ? line.startsWith(wanted) : wanted.test(line))) ?? null;
	}, `${wanted}`);
	await said('outer');
	return {
		page,
		said,
		act: (/** @type {any[][]} */ ...acts) => page.evaluate((all) => /** @type {any} */ (globalThis).outer.postMessage(all), acts),
	};
}

/** How a program ends that has no connection. */
const NONE = /^(GOT -1|error connect: )/;

/** What hold.c is given to hold a connection to a service. @param {string} service */
const words = (service) => ['127.0.0.1', `${world.targets.ports[service]}`, LINE];

/** Waits until the connection has ended as close(2) ends it, behind all that was sent. @param {import('./harness/targets.js').Connection} connection */
async function assertClosed(connection) {
	await until(() => connection.end, 'the end of the connection');
	assert.deepEqual(connection, { bytes: LINE.length, end: 'fin' });
}

/**
 * Opens a page whose nested worker holds a connection, and gives that too.
 * @param {string} [script]
 */
async function hold(script = 'hold.js') {
	const opened = await open();
	const earlier = world.targets.connections.length;
	await opened.act(['start', script]);
	await opened.said('ready');
	await opened.act(['post', 0, words('record')]);
	await opened.said('HELD');
	return { ...opened, connection: await until(() => world.targets.connections[earlier], 'the connection') };
}

test('a program in a nested worker waits for its peer, in the page\'s one WebSocket', async () => {
	const { page, said, act } = await open();
	await act(['start', 'hold.js']);
	await said('ready');
	await act(['post', 0, words('slow')]);
	assert.equal(await said('GOT'), 'GOT 5 late');
	assert.equal(page.carriers.length, 1, page.carriers.join(' '));
	await page.context().close();
});

test('the worker between may block', async () => {
	const { page, said, act } = await open();
	const earlier = world.targets.connections.length;
	await act(['start', 'hold.js']);
	await said('ready');
	await act(['post', 0, words('record')], ['block']);
	const connection = await until(() => world.targets.connections[earlier], 'the connection');
	await until(() => connection.bytes === LINE.length, 'the line');
	await page.context().close();
});

test('a nested worker\'s own', async () => {
	const { page, said, act } = await open();
	await act(['start', 'outer.js'], ['post', 0, [['start', 'hold.js']]]);
	await said('ready');
	await act(['post', 0, [['post', 0, words('slow')]]]);
	assert.equal(await said('GOT'), 'GOT 5 late');
	await page.context().close();
});

test('a worker that the page ends closes its connections, behind what it has sent', async () => {
	const { page, said } = await open();
	const earlier = world.targets.connections.length;
	await page.evaluate((given) => {
		const scope = /** @type {any} */ (globalThis);
		scope.holder = new Worker('/nested/hold.js');
		scope.holder.onmessage = (/** @type {MessageEvent} */ { data }) => scope.said.push(data);
		scope.holder.postMessage(given);
	}, words('record'));
	await said('HELD');
	await page.evaluate(() => /** @type {any} */ (globalThis).holder.terminate());
	await assertClosed(await until(() => world.targets.connections[earlier], 'the connection'));
	await page.context().close();
});

test('so does an ended nested worker', async () => {
	const { page, act, connection } = await hold();
	await act(['terminate', 0]);
	await assertClosed(connection);
	await page.context().close();
});

test('so does one that ends itself', async () => {
	const { page, connection } = await hold('hold.js?close');
	await assertClosed(connection);
	await page.context().close();
});

test('so does the end of the worker between, by the page', async () => {
	const { page, connection } = await hold();
	await page.evaluate(() => /** @type {any} */ (globalThis).outer.terminate());
	await assertClosed(connection);
	await page.context().close();
});

test('so does the end of the worker between, by itself', async () => {
	const { page, act, connection } = await hold();
	await act(['close']);
	await assertClosed(connection);
	await page.context().close();
});

test('the end of sockmux in the page ends a wait, and later programs have SOCKFS\'s own sockets', async () => {
	const { page, said, act } = await hold();
	await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.uninstall());
	await said('GOT -1');
	await page.evaluate(() => void /** @type {any} */ (globalThis).said.splice(0));
	await act(['start', 'hold.js']);
	await said('ready');
	await act(['post', 1, words('record')]);
	await said(NONE);
	await page.context().close();
});

test('a part of the page that does not load ends the wait', async () => {
	const { page, said, act } = await open();
	await page.route(/sockmux-blocking-[0-9a-f]{8}\.js/, (route) => route.fulfill({ status: 404 }));
	await act(['start', 'hold.js']);
	await said('ready');
	await act(['post', 0, words('record')]);
	await said(NONE);
	assert.equal(page.lines.filter((line) => /the sockets of a worker do not work: .*could not be loaded/.test(line)).length, 1);
	await page.context().close();
});

test('a program that is instantiated at once keeps SOCKFS\'s own sockets, and the console has one line', async () => {
	const { page, said, act } = await open();
	await act(['start', `sync.js?127.0.0.1&${world.targets.ports.refused}`]);
	assert.equal(await said('LAYER'), 'LAYER out');
	await until(() => page.lines.some((line) => /nested worker is instantiated before/.test(line)), 'the line');
	await page.context().close();
});
