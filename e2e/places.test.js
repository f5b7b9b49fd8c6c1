// Every place in a browser where the script or the module may be: each has sockets in all
// their forms, over one WebSocket.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suite } from './harness/suite.js';
import { startWeb } from './harness/web.js';

const web = await startWeb();

const world = suite({
	flags: () => ['--allow', `127.0.0.1:${web.ports.http}`],
	ready: async ({ alsoStop }) => alsoStop(web),
});

/** What every place tells. The facade stays out of none. */
const ALL = {
	connect: 'by connect', halfclose: 'greeting\n', tcp: 'by TCPSocket', error: [true, 'refused', 14], facade: 'by the constructor', fetch: 'body', state: 'open',
};

const CLASSIC = `importScripts('%SERVER%/sockmux.js', '/places/talk.js');`;
const MODULE = `import { install } from '%SERVER%/sockmux.mjs'; import '/places/talk.js'; const sockmux = install();`;
const REPLY = `const reply = (ports, port) => talk(sockmux, ports).catch((error) => String(error)).then((told) => port.postMessage(told));`;

/**
 * How the page's end of each place is made, and the place's own script.
 * @type {Record<string, { page: string, script: string }>}
 */
const PLACES = {
	'dedicated worker, classic': {
		page: `worker(new Worker('/place.js'))`,
		script: `${CLASSIC}${REPLY} onmessage = ({ data }) => reply(data, self);`,
	},
	'dedicated worker, module': {
		page: `worker(new Worker('/place.js', { type: 'module' }))`,
		script: `${MODULE}${REPLY} onmessage = ({ data }) => reply(data, self);`,
	},
	'shared worker, classic': {
		page: `worker(new SharedWorker('/place.js').port)`,
		script: `${CLASSIC}${REPLY} onconnect = ({ ports: [port] }) => { port.onmessage = ({ data }) => reply(data, port); };`,
	},
	'shared worker, module': {
		page: `worker(new SharedWorker('/place.js', { type: 'module' }).port)`,
		script: `${MODULE}${REPLY} onconnect = ({ ports: [port] }) => { port.onmessage = ({ data }) => reply(data, port); };`,
	},
	'service worker, classic': {
		page: `serviceWorker({})`,
		script: `${CLASSIC}${REPLY} onmessage = ({ data, ports: [port] }) => reply(data, port);`,
	},
	'service worker, module': {
		page: `serviceWorker({ type: 'module' })`,
		script: `import { install } from '/npm/service-worker.mjs'; import '/places/talk.js'; const sockmux = install({ url: '%SERVER%' });
			${REPLY} onmessage = ({ data, ports: [port] }) => reply(data, port);`,
	},
	'page, classic script': { page: `globalThis.talk(globalThis.sockmux, ports)`, script: '' },
	'page, module': {
		page: `import('/place.js').then(() => globalThis.talk(globalThis.sockmux, ports))`,
		script: MODULE,
	},
};

/** Functions of the page that open a place. */
const OPENERS = `
	const worker = (port) => new Promise((resolve) => {
		port.onmessage = ({ data }) => resolve(data);
		port.onerror = (event) => resolve(event.message || 'the worker failed');
		port.postMessage(ports);
	});
	const serviceWorker = async (options) => {
		const registration = await navigator.serviceWorker.register('/place.js', options);
		const { active } = await navigator.serviceWorker.ready;
		const { port1, port2 } = new MessageChannel();
		const told = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
		active.postMessage(ports, [port2]);
		const answer = await told;
		await registration.unregister();
		return answer;
	};`;

/**
 * Opens a page with the place and returns what the place tells.
 * @param {string} place
 * @param {{ page: string, script: string }} parts
 */
async function tellFrom(place, { page: code, script }) {
	const { echo, refused, halfclose } = world.targets.ports;
	const inPage = place === 'page, classic script';
	const tags = inPage ? `<script src="${world.sockmux.origin}/sockmux.js"></script><script src="/places/talk.js"></script>` : '';
	world.site.pages.set('/place.html', `<!doctype html><meta charset="utf-8"><title>${place}</title>${tags}`);
	world.site.pages.set('/place.js', script.replaceAll('%SERVER%', world.sockmux.origin));
	const page = await world.newPage();
	await page.goto(`${world.site.origin}/place.html`);
	const told = await page.evaluate(`(() => { const ports = ${JSON.stringify({ echo, refused, halfclose, http: web.ports.http })}; ${OPENERS} return ${code}; })()`);
	await page.context().close();
	return told;
}

for (const [place, parts] of Object.entries(PLACES)) {
	test(place, { timeout: 60_000 }, async () => assert.deepEqual(await tellFrom(place, parts), place === 'service worker, classic' ? { ...ALL, fetch: 'TypeError' } : ALL)); // it can load no parts
}

/**
 * What a place cannot have, and its error.
 * @type {Record<string, { page: string, options: string, message: string }>}
 */
const MISSING = {
	'a tunnel in a worker, in a shared worker': {
		page: PLACES['shared worker, module'].page, options: '{ worker: true }', message: 'this place has no Worker; Node needs the npm package',
	},
	'the module of the server, in a service worker': {
		page: PLACES['service worker, module'].page, options: '',
		message: 'this module cannot load its parts in a service worker: import "sockmux/service-worker" of the npm package',
	},
};

for (const [what, { page, options, message }] of Object.entries(MISSING)) {
	test(`named in an error: ${what}`, { timeout: 60_000 }, async () => {
		const script = `import { ConfigError, install } from '%SERVER%/sockmux.mjs';
			let told = 'installed';
			try { install(${options}); } catch (error) { told = [error instanceof ConfigError, error.message]; }
			self.onconnect = ({ ports: [port] }) => port.postMessage(told);
			self.onmessage = ({ ports: [port] }) => port.postMessage(told);`;
		assert.deepEqual(await tellFrom(what, { page, script }), [true, message]);
	});
}
