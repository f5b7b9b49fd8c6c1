import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, lineOfPort } from '../../src/blocking/line.js';

/** @type {(text: string) => import('../../src/blocking/ring.js').Message} */
const note = (text) => ({ op: 'note', token: '', text });

test('messages leave at once, and show that the page knows of the worker', () => {
	/** @type {unknown[]} */
	const sent = [];
	const line = new Line((message, transfer) => sent.push([message, transfer]));
	assert.deepEqual([line.open, line.used], [true, false]);
	line.post(note('one'));
	const { port1 } = new MessageChannel();
	line.post(note('two'), [port1]);
	port1.close();
	assert.equal(line.used, true);
	assert.deepEqual(sent, [[{ sockmux: note('one') }, []], [{ sockmux: note('two') }, [port1]]]);
});

test('a nested worker\'s messages wait for its port, in order; the program never sees that', async () => {
	const scope = new EventTarget();
	const { port1, port2 } = new MessageChannel();
	const line = lineOfPort(scope);
	/** @type {unknown[]} */
	const own = [];
	scope.addEventListener('message', (event) => own.push(/** @type {MessageEvent} */ (event).data));
	line.post(note('one'));
	line.post(note('two'));
	assert.equal(line.open, false);
	scope.dispatchEvent(new MessageEvent('message', { data: 'the program\'s' }));
	scope.dispatchEvent(new MessageEvent('message', { data: { sockmux: { port: port1 } } }));
	await line.opens;
	assert.equal(line.open, true);
	line.post(note('three'));
	/** @type {string[]} */
	const got = [];
	await new Promise((resolve) => {
		port2.onmessage = ({ data }) => got.push(data.sockmux.text) === 3 && resolve(undefined);
	});
	port2.close();
	assert.deepEqual([got, own], [['one', 'two', 'three'], ['the program\'s']]);
});
