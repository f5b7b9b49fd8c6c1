import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { serveLater } from '../../src/blocking/earlier.js';

/** @param {EventTarget} worker @param {unknown} data */
const say = (worker, data) => worker.dispatchEvent(new MessageEvent('message', { data }));

function make() {
	const worker = /** @type {Worker} */ (new EventTarget());
	/** @type {unknown[]} */
	const received = [];
	/** @type {unknown[]} */
	const own = [];
	/** @type {string[]} */
	const reports = [];
	const bridges = /** @type {any} */ ({ of: (/** @type {Worker} */ asked) => {
		assert.equal(asked, worker);
		return { receive: (/** @type {unknown} */ message) => received.push(message) };
	} });
	return { worker, received, own, reports, bridges, report: (/** @type {string} */ text) => void reports.push(text), listen: () => worker.addEventListener('message', (event) => own.push(event.data)) };
}

const settled = () => new Promise((resolve) => {
	setImmediate(() => resolve(undefined));
});

test('what the layer says before it is served waits, in order; the worker\'s own messages do not', async () => {
	const { worker, received, own, bridges, report, listen } = make();
	/** @type {(value: any) => void} */
	let loaded = () => {};
	const load = mock.fn(() => new Promise((resolve) => {
		loaded = resolve;
	}));
	serveLater(worker, load, report);
	listen();
	say(worker, { sockmux: { op: 'started' } });
	assert.equal(load.mock.callCount(), 0, 'a worker without sockets loads nothing');
	say(worker, { sockmux: { op: 'hello' } });
	say(worker, { type: 'resolve' });
	say(worker, { sockmux: { op: 'connect' } });
	assert.deepEqual([received, own], [[], [{ type: 'resolve' }]]);
	loaded(bridges);
	await settled();
	assert.deepEqual(received, [{ op: 'hello' }, { op: 'connect' }]);
	say(worker, { sockmux: { op: 'kick' } });
	assert.deepEqual([received.length, own.length, load.mock.callCount()], [3, 1, 1]);
});

test('what cannot be loaded is reported, and the worker does not wait for it', async () => {
	const { worker, own, reports, report, listen } = make();
	serveLater(worker, () => Promise.reject(new Error('https://h/x.js could not be loaded')), report);
	listen();
	const signal = new SharedArrayBuffer(8);
	say(worker, { sockmux: { op: 'hello', signal } });
	say(worker, { sockmux: { op: 'connect' } });
	await settled();
	assert.deepEqual(own, []);
	assert.deepEqual([...new Int32Array(signal)], [1, 2], 'raised, and the page is gone');
	assert.deepEqual(reports, ['the sockets of a worker do not work: https://h/x.js could not be loaded']);
});
