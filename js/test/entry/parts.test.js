import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { fetchPart, handOver, loadPart, once, partLoader } from '../../src/entry/parts.js';

const FILE = { url: 'https://h/assets/sockmux-x.js', integrity: 'sha384-x' };

/** A document whose scripts the test runs. */
function fakeDocument({ nonce = '' } = {}) {
	/** @type {any[]} */
	const scripts = [];
	/** @type {any} */
	const document = {
		currentScript: null,
		createElement: (/** @type {string} */ name) => ({ name, removed: false, remove() {
			this.removed = true;
		} }),
		querySelector: (/** @type {string} */ selector) => selector === 'script[nonce]' && nonce ? { nonce } : null,
		head: { append: (/** @type {any} */ script) => void scripts.push(script) },
	};
	return { document, scripts };
}

test('a part is a script element with its SRI string and the page\'s nonce, and hands over at that element', async (t) => {
	const { document, scripts } = fakeDocument({ nonce: 'n1' });
	const loading = loadPart({ document }, FILE);
	const [script] = scripts;
	const { src, crossOrigin, integrity, nonce, removed } = script;
	assert.deepEqual({ src, crossOrigin, integrity, nonce, removed }, { src: FILE.url, crossOrigin: 'anonymous', integrity: 'sha384-x', nonce: 'n1', removed: true });
	const before = Reflect.ownKeys(globalThis).length;
	const scope = /** @type {any} */ (globalThis);
	scope.document = document;
	t.after(() => delete scope.document);
	document.currentScript = script;
	handOver('what it has');
	assert.equal(Reflect.ownKeys(globalThis).length, before + 1, 'only the document of this test');
	script.onload();
	assert.equal(await loading, 'what it has');
});

test('a part that does not come is named', async () => {
	const { document, scripts } = fakeDocument();
	const loading = loadPart({ document }, { url: FILE.url });
	assert.equal('integrity' in scripts[0], false);
	scripts[0].onerror();
	await assert.rejects(loading, { message: `${FILE.url} could not be loaded: serve it, and allow it in the Content-Security-Policy` });
});

test('in a worker a part is imported, and leaves nothing at the global object', async () => {
	const before = Reflect.ownKeys(globalThis).length;
	const url = `data:text/javascript,globalThis[Symbol.for('sockmux.part')]=7`;
	assert.equal(await loadPart(globalThis, { url }), 7);
	assert.equal(Reflect.ownKeys(globalThis).length, before);
});

test('a part is loaded once, and again after a failure', async () => {
	const { document, scripts } = fakeDocument();
	const load = partLoader({ document }, { engine: FILE });
	const failed = load('engine');
	scripts[0].onerror();
	await assert.rejects(failed);
	const both = [load('engine'), load('engine')];
	assert.equal(scripts.length, 2);
	scripts[1][Symbol.for('sockmux.part')] = 'what it has';
	scripts[1].onload();
	assert.deepEqual(await Promise.all(both), ['what it has', 'what it has']);
	assert.equal(await load('engine'), 'what it has');
	assert.equal(scripts.length, 2);
});

test('a service worker loads its part before it has started', async () => {
	/** @type {any} */
	const scope = { skipWaiting() {}, importScripts(/** @type {string} */ url) {
		this[Symbol.for('sockmux.part')] = url;
	} };
	const load = partLoader(scope, { engine: FILE });
	assert.deepEqual(Object.keys(scope), ['skipWaiting', 'importScripts']);
	assert.equal(await load('engine'), FILE.url);
});

test('the text of a part is fetched with its SRI string', async (t) => {
	const fetched = t.mock.method(globalThis, 'fetch', /** @type {any} */ (async () => new Response('text')));
	assert.equal(await fetchPart(FILE), 'text');
	assert.deepEqual(fetched.mock.calls[0].arguments, [FILE.url, { integrity: 'sha384-x' }]);
	fetched.mock.mockImplementation(/** @type {any} */ (async () => new Response('', { status: 404 })));
	await assert.rejects(fetchPart(FILE), { message: `${FILE.url}: the server answered 404` });
});

test('once makes once, and again after a failure', async () => {
	const make = mock.fn(async () => {
		if (make.mock.callCount() === 0) throw new Error('not yet');
		return {};
	});
	const get = once(make);
	await assert.rejects(get(), { message: 'not yet' });
	assert.equal(get.made, undefined);
	const [first, second] = await Promise.all([get(), get()]);
	assert.equal(first, second);
	assert.equal(get.made, first);
	assert.equal(make.mock.callCount(), 2);
});
