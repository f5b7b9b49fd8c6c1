import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attach } from '../../src/webr/attach.js';
import { rememberBlobs, scriptUrl } from '../../src/workers/blobs.js';
import { installWorkerHook } from '../../src/workers/hook.js';
import { recognizeWebR } from '../../src/webr/install.js';
import { failureText, textOf } from '../../src/webr/notes.js';
import { isWebRText, isWebRUrl } from '../../src/webr/recognize.js';
import { Bridges } from '../../src/blocking/bridges.js';
import { LAYOUT } from '../../src/blocking/layout.js';
import { FakeTunnel } from '../fakes/tunnel.js';

/** webR's own script, as far as it is looked at. */
const WEBR_TEXT = `${' '.repeat(20_000)}case 'proxyWebSocket': Module.webr`;

function withOwnData() {
	class Message extends /** @type {typeof Event} */ (/** @type {unknown} */ (MessageEvent)) {}
	Object.defineProperty(Message.prototype, 'data', /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')));
	return Message;
}

/** A page: its workers, blobs and requests. */
function makePage({ isolated = true, blobsAllowed = 'yes', on = true } = {}) {
	/** @type {FakeWorker[]} */
	const workers = [];
	/** @type {Map<string, Blob>} */
	const blobs = new Map();
	/** @type {Map<string, string>} */
	const texts = new Map();

	class FakeWorker extends EventTarget {
		/** @type {any} */
		onmessage = null;
		/** @type {unknown[]} */
		received = [];
		terminated = false;

		/** @param {string | URL} url @param {WorkerOptions} [options] */
		constructor(url, options) {
			if (arguments.length === 0) throw new TypeError('1 argument required');
			super();
			this.url = `${url}`;
			this.options = options;
			if (this.url.startsWith('blob:') && blobsAllowed === 'throws') throw new Error('refused');
			this.addEventListener('message', (event) => this.onmessage?.(event));
			workers.push(this);
		}

		/** @param {unknown} message */
		postMessage(message) {
			this.received.push(message);
		}

		terminate() {
			this.terminated = true;
		}

		/** @param {unknown} data */
		say(data) {
			this.dispatchEvent(new MessageEvent('message', { data }));
		}
	}

	class FakeRequest {
		responseText = '';

		/** @param {string} method @param {string} url @param {boolean} async */
		open(method, url, async) {
			assert.deepEqual([method, async], ['GET', false]);
			this.url = url;
		}

		send() {
			const text = texts.get(this.url ?? '');
			if (text === undefined) throw new Error('not allowed');
			this.responseText = text;
		}
	}

	let made = 0;
	const scope = /** @type {any} */ ({
		Worker: FakeWorker,
		// In a browser the getter of `data` is the prototype's own.
		MessageEvent: withOwnData(),
		XMLHttpRequest: FakeRequest,
		crossOriginIsolated: isolated,
		location: { href: 'https://site.test/app/index.html' },
		URL: {
			/** @param {any} blob */
			createObjectURL(blob) {
				const url = `blob:https://site.test/${++made}`;
				blobs.set(url, blob);
				return url;
			},

			/** @param {string} url */
			revokeObjectURL(url) {
				blobs.delete(url);
			}
		},
	});
	/** @type {string[]} */
	const reports = [];
	const tunnel = new FakeTunnel();
	const report = (/** @type {string} */ text) => void reports.push(text);
	const bridges = new Bridges({ open: (request, handlers) => tunnel.open(request, handlers), report, failed: (target, why) => report(failureText(target, why)) });
	const serve = (/** @type {Worker} */ worker) => void bridges.of(worker);
	const pageBlobs = rememberBlobs(scope.URL);
	const restore = installWorkerHook(scope, pageBlobs, [recognizeWebR({ on, serve, prelude: 'https://t.test/layer.js', say: (note) => report(textOf(note)) })]);
	const uninstall = () => {
		restore();
		pageBlobs.stop();
	};
	return { scope, workers, blobs, texts, reports, bridges, tunnel, uninstall, FakeWorker };
}

describe('recognizing', () => {
	test('by the URL', () => {
		const absolute = (/** @type {string} */ url) => scriptUrl(url, 'https://site.test/app/');
		for (const url of ['webr-worker.js', '/webr/webr-worker.js?v=1', 'https://site.test/x/webr-worker.js#a']) assert.equal(isWebRUrl(absolute(url)), true, url);
		for (const url of ['worker.js', 'my-webr-worker.js', 'webr-worker.js/x', 'http://[bad', 'x?webr-worker.js']) assert.equal(isWebRUrl(absolute(url)), false, url);
	});

	test('by the text', () => {
		assert.equal(isWebRText(WEBR_TEXT), true);
		assert.equal(isWebRText('onmessage = () => {}'), false);
	});
});

describe('the Worker constructor', () => {
	test('puts the layer in front of webR\'s script', async () => {
		const { scope, workers, blobs } = makePage();
		const worker = new scope.Worker('../webr/webr-worker.js', { name: 'R' });
		assert.equal(worker, workers[0]);
		assert.deepEqual(workers[0].options, { name: 'R\nhttps://site.test/webr/webr-worker.js' });
		const text = await /** @type {Blob} */ (blobs.get(workers[0].url)).text();
		assert.equal(text, '(i=>{i("https://t.test/layer.js");i("https://site.test/webr/webr-worker.js");})(importScripts);\n;postMessage({sockmux:{op:"started"}})');
	});

	test('holds webR\'s messages back until the layer has started, and keeps its own from webR', () => {
		const { scope, workers, blobs } = makePage();
		const worker = new scope.Worker('/webr-worker.js');
		/** @type {unknown[]} */
		const heard = [];
		worker.onmessage = (/** @type {MessageEvent} */ event) => heard.push(event.data);
		worker.postMessage({ type: 'init' });
		assert.deepEqual(workers[0].received, []);
		workers[0].say({ sockmux: { op: 'started' } });
		assert.deepEqual(workers[0].received, [{ type: 'init' }]);
		worker.postMessage({ type: 'more' });
		assert.equal(workers[0].received.length, 2);
		workers[0].say({ type: 'resolve' });
		assert.deepEqual(heard.filter((/** @type {any} */ data) => data.type), [{ type: 'resolve' }]);
		assert.equal(blobs.size, 0, 'the script\'s URL is given back');
	});

	test('held messages are what they were when they were posted', () => {
		const { scope, workers } = makePage();
		const worker = new scope.Worker('/webr-worker.js');
		const message = { at: 1 };
		const buffer = new ArrayBuffer(8);
		worker.postMessage(message);
		worker.postMessage(buffer, [buffer]);
		message.at = 2;
		assert.equal(buffer.byteLength, 0);
		assert.throws(() => worker.postMessage(() => {}), { name: 'DataCloneError' });
		workers[0].say({ sockmux: { op: 'started' } });
		assert.deepEqual(workers[0].received, [{ at: 1 }, new ArrayBuffer(8)]);
	});

	test('an error of webR\'s own script does not start it twice', () => {
		const { scope, workers } = makePage();
		const worker = new scope.Worker('/webr-worker.js');
		worker.postMessage('first');
		worker.dispatchEvent(Object.assign(new Event('error'), { filename: 'https://site.test/webr-worker.js' }));
		assert.equal(workers.length, 1);
		assert.deepEqual(workers[0].received, ['first']);
	});

	test('a URL of another origin is the native constructor\'s', () => {
		const { scope, workers } = makePage();
		new scope.Worker('https://other.test/webr-worker.js');
		assert.deepEqual(workers.map(({ url }) => url), ['https://other.test/webr-worker.js']);
	});

	test('other workers are the native constructor\'s, whatever they are', () => {
		const { scope, workers, FakeWorker } = makePage();
		const plain = new scope.Worker('own.js');
		new scope.Worker('webr-worker.js', { type: 'module' });
		assert.deepEqual(workers.map(({ url }) => url), ['own.js', 'webr-worker.js']);
		assert.ok(plain instanceof scope.Worker && plain instanceof FakeWorker);
		assert.equal(scope.Worker.name, FakeWorker.name);
		assert.equal(scope.Worker.prototype, FakeWorker.prototype);
		class Own extends /** @type {typeof FakeWorker} */ (scope.Worker) {}
		assert.ok(new Own('webr-worker.js') instanceof Own);
		assert.throws(() => new scope.Worker(), TypeError);
	});

	test('a worker from a blob is looked into', async () => {
		const { scope, workers, blobs, texts } = makePage();
		const webr = scope.URL.createObjectURL(new Blob([WEBR_TEXT]));
		const other = scope.URL.createObjectURL(new Blob(['x'.repeat(20_000)]));
		const small = scope.URL.createObjectURL(new Blob(['small']));
		const hidden = scope.URL.createObjectURL(new Blob([WEBR_TEXT]));
		texts.set(webr, WEBR_TEXT).set(other, 'x'.repeat(20_000));
		for (const url of [webr, other, small, hidden]) new scope.Worker(url);
		assert.deepEqual(workers.slice(1).map(({ url }) => url), [other, small, hidden]);
		const text = await /** @type {Blob} */ (blobs.get(workers[0].url)).text();
		assert.equal(text, `(i=>{i("https://t.test/layer.js");})(importScripts);${WEBR_TEXT}\n;postMessage({sockmux:{op:"started"}})`);
		assert.deepEqual(workers[0].options, { name: '\n' });
	});

	test('a page that is not isolated is told what to change', () => {
		const { scope, workers, reports } = makePage({ isolated: false });
		new scope.Worker('webr-worker.js');
		new scope.Worker('webr-worker.js');
		assert.deepEqual(workers.map(({ url }) => url), ['webr-worker.js', 'webr-worker.js']);
		assert.match(reports[0], /Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy.*coi-serviceworker/);
	});

	test('switched off, webR\'s workers are the native constructor\'s and no other layer\'s', () => {
		const { scope, workers } = makePage({ on: false });
		const worker = new scope.Worker('webr-worker.js', { name: 'R' });
		assert.deepEqual([worker.url, worker.options, workers.length], ['webr-worker.js', { name: 'R' }, 1]);
	});

	test('taken away, everything is native again, and sockets of R are its own', () => {
		const { scope, workers, uninstall, bridges, FakeWorker } = makePage();
		const { createObjectURL } = scope.URL;
		new scope.Worker('webr-worker.js');
		workers[0].say({ sockmux: { op: 'started' } });
		const signal = new SharedArrayBuffer(8);
		workers[0].say({ sockmux: { op: 'hello', layout: LAYOUT, token: '', signal } });
		assert.equal(new Int32Array(signal)[1], 1);
		uninstall();
		bridges.close();
		assert.equal(new Int32Array(signal)[1], 2);
		assert.equal(scope.Worker, FakeWorker);
		assert.notEqual(scope.URL.createObjectURL, createObjectURL);
	});

	test('a terminated worker takes its sockets with it', () => {
		const { scope, workers, tunnel } = makePage();
		const worker = new scope.Worker('webr-worker.js');
		workers[0].say({ sockmux: { op: 'started' } });
		workers[0].say({ sockmux: { op: 'hello', layout: LAYOUT, token: '', signal: new SharedArrayBuffer(8) } });
		workers[0].say({ sockmux: { op: 'connect', id: 1, buffer: new SharedArrayBuffer(1 << 21), host: 'a.test', port: 80, timeoutMs: 0 } });
		worker.terminate();
		assert.equal(workers[0].terminated, true);
		assert.deepEqual(tunnel.streams[0].calls, ['close']);
	});
});

describe('a policy without workers from blobs', () => {
	test('an error event: webR\'s own script runs instead, and nobody notices', () => {
		const { scope, workers, reports } = makePage();
		const worker = new scope.Worker('webr-worker.js');
		/** @type {unknown[]} */
		const heard = [];
		/** @type {unknown[]} */
		const errors = [];
		worker.onmessage = (/** @type {MessageEvent} */ event) => heard.push(event.data);
		worker.addEventListener('error', (/** @type {Event} */ event) => errors.push(event));
		worker.postMessage({ type: 'init' });
		workers[0].dispatchEvent(new Event('error', { cancelable: true }));
		assert.equal(workers[1].url, 'webr-worker.js');
		assert.deepEqual(workers[1].received, [{ type: 'init' }]);
		worker.postMessage({ type: 'more' });
		assert.equal(workers[1].received.length, 2);
		workers[1].say({ type: 'resolve' });
		assert.deepEqual(heard, [{ type: 'resolve' }]);
		assert.deepEqual(errors, []);
		assert.match(reports[0], /worker-src.*sockmux\.attach\(webR\)/);
		worker.terminate();
		assert.equal(workers[1].terminated, true);
	});

	test('a script that stops itself is ended, and its own text is told', () => {
		const { scope, workers, reports } = makePage();
		const worker = new scope.Worker('webr-worker.js');
		worker.postMessage({ type: 'init' });
		workers[0].say({ sockmux: { op: 'stopped', text: 'eval is forbidden' } });
		assert.equal(workers[0].terminated, true);
		assert.equal(workers[1].url, 'webr-worker.js');
		assert.deepEqual(workers[1].received, [{ type: 'init' }]);
		assert.deepEqual(reports, ['eval is forbidden']);
	});

	test('an exception: the same', () => {
		const { scope, workers, reports } = makePage({ blobsAllowed: 'throws' });
		const worker = new scope.Worker('webr-worker.js');
		assert.equal(workers.at(-1), worker);
		assert.equal(worker.url, 'webr-worker.js');
		assert.equal(reports.length, 1);
	});
});

describe('attach', () => {
	/**
	 * A webR whose worker answers what the layer would.
	 * @param {ReturnType<typeof makePage>} page
	 * @param {(token: string) => unknown} answer
	 */
	function makeWebR({ scope, FakeWorker }, answer) {
		const worker = new FakeWorker('blob:earlier');
		/** @type {unknown[]} */
		const seen = [];
		worker.onmessage = (/** @type {any} */ event) => seen.push(event.data);
		/** @type {string[]} */
		const codes = [];
		return {
			worker, seen, codes,
			init: async () => undefined,
			async evalRVoid(/** @type {string} */ code, /** @type {any} */ { env }) {
				assert.equal(code, 'invisible(webr::eval_js(code))');
				codes.push(env.code);
				const { token } = JSON.parse(/sockmuxGiven=(\{.*?\});/.exec(env.code)?.[1] ?? '');
				const event = new scope.MessageEvent('message', { data: { sockmux: answer(token) } });
				worker.dispatchEvent(event);
			},
		};
	}

	test('finds the worker by what webR reads, and serves it', async () => {
		const page = makePage();
		const signal = new SharedArrayBuffer(8);
		const webR = makeWebR(page, (token) => ({ op: 'hello', layout: LAYOUT, token, signal }));
		await attach({ bridges: page.bridges, source: async () => 'LAYER', scope: page.scope }, webR);
		assert.equal(new Int32Array(signal)[1], 1);
		assert.ok(webR.codes[0].includes('LAYER') && webR.codes[0].includes('"running":true'));
		webR.worker.say({ sockmux: { op: 'connect', id: 1, buffer: new SharedArrayBuffer(1 << 21), host: 'a.test', port: 80, timeoutMs: 0 } });
		assert.equal(page.tunnel.streams[0].request.host, 'a.test');
		await attach({ bridges: page.bridges, source: async () => 'LAYER', scope: page.scope }, webR);
	});

	test('says why it failed, and leaves nothing behind', async () => {
		const page = makePage();
		const data = () => Object.getOwnPropertyDescriptor(page.scope.MessageEvent.prototype, 'data')?.get;
		const native = data();
		const options = { bridges: page.bridges, source: async () => '', scope: page.scope };
		await assert.rejects(attach(options, /** @type {any} */ ({})), /attach: the argument is no WebR object/);
		await assert.rejects(attach(options, makeWebR(page, (token) => ({ op: 'note', token, text: 'no SOCKFS' }))), /attach: no SOCKFS/);
		await assert.rejects(attach(options, makeWebR(page, () => ({ op: 'hello', token: 'another' }))), /attach: nothing was heard/);
		await assert.rejects(attach(options, makeWebR(page, (token) => ({ op: 'hello', layout: LAYOUT + 1, token, signal: new SharedArrayBuffer(8) }))), /attach: .*another version/);
		assert.equal(data(), native);
		const bare = makePage({ isolated: false });
		await assert.rejects(attach({ ...options, scope: bare.scope }, makeWebR(bare, () => ({}))), /attach: this page is not cross-origin isolated/);
	});
});
