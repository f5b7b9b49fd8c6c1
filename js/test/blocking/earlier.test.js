import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveLater } from '../../src/blocking/earlier.js';

/** @param {EventTarget} worker @param {unknown} data */
const say = (worker, data) => worker.dispatchEvent(new MessageEvent('message', { data }));

function make() {
	const worker = /** @type {Worker} */ (new EventTarget());
	/** @type {unknown[]} */
	const received = [];
	/** @type {unknown[]} */
	const webr = [];
	/** @type {string[]} */
	const reports = [];
	const bridges = /** @type {any} */ ({ of: (/** @type {Worker} */ asked) => {
		assert.equal(asked, worker);
		return { receive: (/** @type {unknown} */ message) => received.push(message) };
	} });
	return { worker, received, webr, reports, bridges, report: (/** @type {string} */ text) => void reports.push(text), listen: () => worker.addEventListener('message', (event) => webr.push(event.data)) };
}

test('what the layer says before it is served waits, in order; webR\'s own messages do not', async () => {
	const { worker, received, webr, bridges, report, listen } = make();
	/** @type {(value: any) => void} */
	let loaded = () => {};
	const serving = serveLater(worker, new Promise((resolve) => {
		loaded = resolve;
	}), report);
	listen();
	say(worker, { sockmux: { op: 'hello' } });
	say(worker, { type: 'resolve' });
	say(worker, { sockmux: { op: 'connect' } });
	assert.deepEqual([received, webr], [[], [{ type: 'resolve' }]]);
	loaded(bridges);
	await serving;
	assert.deepEqual(received, [{ op: 'hello' }, { op: 'connect' }]);
	say(worker, { sockmux: { op: 'kick' } });
	assert.deepEqual([received.length, webr.length], [3, 1]);
});

test('what cannot be loaded is reported, and webR never sees the layer\'s messages', async () => {
	const { worker, webr, reports, report, listen } = make();
	await serveLater(worker, Promise.reject(new Error('https://h/x.js could not be loaded')), report);
	listen();
	say(worker, { sockmux: { op: 'hello' } });
	assert.deepEqual(webr, []);
	assert.deepEqual(reports, ['the sockets of webR do not work: https://h/x.js could not be loaded']);
});
