import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line } from '../../src/blocking/line.js';
import { readBase, serveNested } from '../../src/blocking/nested.js';
import { takeBase } from '../../src/workers/base.js';

const PRELUDE = 'https://tunnel.test/sockmux-blocking-worker.js';
const CHANGES = new SharedArrayBuffer(8);

/** A worker's global object, in which workers can be started. */
function makeScope({ refuse = false, on = true, isolated = true } = {}) {
	/** @type {{ sockmux: any }[]} */
	const posted = [];
	/** @type {FakeWorker[]} */
	const started = [];
	class FakeWorker extends EventTarget {
		/** @type {any[]} */
		got = [];
		ended = false;

		/** @param {any} url @param {WorkerOptions} [options] */
		constructor(url, options) {
			if (refuse && `${url}`.startsWith('blob:')) throw new Error('refused');
			super();
			Object.assign(this, { url, name: options?.name ?? '' });
			started.push(this);
		}

		/** @param {unknown} message */
		postMessage(message) {
			this.got.push(message);
		}

		terminate() {
			this.ended = true;
		}
	}
	const urls = { createObjectURL: () => 'blob:x', revokeObjectURL: () => {} };
	const scope = /** @type {any} */ ({ Worker: FakeWorker, URL: urls, location: new URL('https://site.test/outer.js'), crossOriginIsolated: isolated });
	const threads = serveNested(scope, {
		prelude: PRELUDE,
		line: new Line((message) => void posted.push(message)),
		leave: ({ given, Native }) => (given === 'left.js' ? new Native(given) : null),
		on: () => on,
		changes: CHANGES,
	});
	return { scope, posted, started, threads };
}

/** Ends what keeps Node alive. @param {{ sockmux: any }[]} messages */
const closePorts = (messages) => messages.forEach(({ sockmux }) => sockmux?.port?.close());

test('the page gets one end of a channel, the worker the other one ahead of the program\'s messages', () => {
	const { scope, posted, started } = makeScope();
	const worker = new scope.Worker('inner.js', { name: 'mine' });
	worker.postMessage('hello');
	assert.deepEqual(posted.map(({ sockmux }) => [sockmux.op, sockmux.id]), [['nested', 1]]);
	assert.ok(posted[0].sockmux.port instanceof MessagePort);
	const [{ got, name }] = /** @type {any[]} */ (started);
	assert.ok(got[0].sockmux.port instanceof MessagePort);
	assert.deepEqual(got.slice(1), ['hello']);
	const inner = { name };
	assert.deepEqual(readBase(takeBase(inner)), { base: 'https://site.test/inner.js', place: 'nested' });
	assert.equal(inner.name, 'mine');
	closePorts([...posted, ...got]);
});

test('the page is told of its end', () => {
	const { scope, posted, started } = makeScope();
	const [first, second] = [new scope.Worker('a.js'), new scope.Worker('b.js')];
	second.terminate();
	assert.deepEqual(posted.map(({ sockmux: { op, id } }) => [op, id]), [['nested', 1], ['nested', 2], ['terminated', 2]]);
	assert.deepEqual(started.map(({ ended }) => ended), [false, true]);
	closePorts([...posted, ...first.got, ...second.got]);
});

test('the program sees no message of the layer', () => {
	const { scope, posted } = makeScope();
	const worker = new scope.Worker('a.js', { type: 'module' });
	/** @type {unknown[]} */
	const seen = [];
	worker.addEventListener('message', (/** @type {MessageEvent} */ { data }) => seen.push(data));
	for (const data of [{ sockmux: { op: 'started' } }, { sockmux: { op: 'started' } }, 'own']) worker.dispatchEvent(new MessageEvent('message', { data }));
	assert.deepEqual(seen, ['own']);
	closePorts([...posted, ...worker.got]);
});

test('a thread has ours in front, its memory ahead of the program\'s messages, and no channel to the page', () => {
	const { scope, posted, started, threads } = makeScope();
	const worker = new scope.Worker('program.js', { name: 'em-pthread-1' });
	worker.postMessage('load');
	const [{ got, name }] = /** @type {any[]} */ (started);
	assert.deepEqual(got, [{ sockmux: { op: 'thread', id: 1, common: threads?.common, cells: threads?.cells.get(1), changes: CHANGES } }, 'load']);
	const inner = { name };
	assert.deepEqual(readBase(takeBase(inner)), { base: 'https://site.test/program.js', place: 'thread' });
	assert.equal(inner.name, 'em-pthread-1');
	assert.deepEqual(posted, []);
});

test('what may be a thread\'s, what is to be left and what is no file of the site are the native constructor\'s', () => {
	const { scope, posted, started } = makeScope();
	new scope.Worker('program.worker.js');
	new scope.Worker('left.js');
	new scope.Worker('blob:unknown');
	assert.deepEqual(posted, []);
	assert.deepEqual(started.map((worker) => /** @type {any} */ (worker).url), ['program.worker.js', 'left.js', 'blob:unknown']);
});

test('where workers from blobs are refused, the program\'s own runs and gets nothing of ours', () => {
	const { scope, posted, started } = makeScope({ refuse: true });
	new scope.Worker('inner.js').postMessage('hello');
	assert.deepEqual([posted, started.map(({ got }) => got)], [[], [['hello']]]);
});

for (const [why, options] of /** @type {const} */ ([['a worker with a session of its own', { on: false }], ['a page that is not isolated', { isolated: false }]])) {
	test(`${why} is left alone`, () => {
		const { scope, posted, started } = makeScope(options);
		new scope.Worker('inner.js');
		assert.deepEqual([posted, started.length], [[], 1]);
	});
}

test('readBase() of a worker of the page', () => {
	assert.deepEqual([readBase('https://site.test/w.js'), readBase('')], [{ base: 'https://site.test/w.js', place: 'page' }, { base: '', place: 'page' }]);
});
