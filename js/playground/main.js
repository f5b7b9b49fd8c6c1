// The playground: joins the console, R, the examples and the picture of the tunnel.

import { Console } from './console.js';
import { Session } from './session.js';
import { linesOf, snippets } from './snippets.js';
import { followTheme } from './theme.js';
import { follow } from './tunnel.js';
import { Wire } from './wire.js';

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

followTheme(byId('theme'));
byId('script-url').textContent = new URL('sockmux.js', document.baseURI).href;

const view = new Console({
	root: byId('console'), screen: byId('screen'), output: byId('output'),
	prompt: byId('prompt'), input: byId('input'), state: byId('console-state'),
}, {
	onlines: (lines) => session.feed(lines),
	oninterrupt: () => session.interrupt(),
	onclear: () => session.cleared(),
});
const STATES = { ready: 'ready', busy: 'running', loading: 'starting R' };
const session = new Session(view, {
	onstate(state) {
		view.setState(state, STATES[state]);
		byId('interrupt').disabled = state === 'loading' || (state === 'ready' && view.prompt === '> ');
	},
	onfailed: failed,
});
byId('interrupt').addEventListener('click', () => {
	view.interrupt();
	view.focus();
});
byId('clear').addEventListener('click', () => {
	view.clear();
	view.focus();
});

/**
 * A problem that the reader must know of before anything else.
 * @param {string} title
 * @param {string} text
 */
function notice(title, text) {
	byId('notice-title').textContent = title;
	byId('notice-text').textContent = text;
	byId('notice').hidden = false;
}

/** @returns {Promise<Map<string, import('./snippets.js').Service>>} */
async function services() {
	const response = await fetch('demo.json');
	if (response.status === 404) return new Map(); // the server was started without --demo
	if (!response.ok) throw new Error(`demo.json: ${response.status}`);
	/** @type {import('./snippets.js').Service[]} */
	const list = await response.json();
	return new Map(list.map((service) => [service.name, service]));
}

/** @param {Map<string, import('./snippets.js').Service>} available */
function showServices(available) {
	const list = byId('services');
	for (const { name, host, port, description } of available.values()) {
		const button = document.createElement('button');
		button.type = 'button';
		button.title = `${description} (click: writes the line that connects)`;
		const number = document.createElement('code');
		number.textContent = String(port);
		const about = document.createElement('span');
		about.className = 'about';
		about.textContent = description;
		button.append(name, number, about);
		button.addEventListener('click', () => view.edit(`con <- socketConnection("${host}", ${port}, open = "r+b", blocking = TRUE, timeout = 10)`));
		const item = document.createElement('li');
		item.append(button);
		list.append(item);
	}
	byId('services-section').hidden = available.size === 0;
}

/** @param {Map<string, import('./snippets.js').Service>} available */
function showSnippets(available) {
	for (const snippet of snippets) {
		const button = document.createElement('button');
		button.type = 'button';
		const title = document.createElement('b');
		title.textContent = snippet.title;
		const text = document.createElement('span');
		text.textContent = snippet.text;
		button.append(title, text);
		button.disabled = true;
		const missing = snippet.needs.filter((name) => !available.has(name));
		if (missing.length > 0) {
			button.title = `needs the demo services of the server: start it with --demo (${missing.join(', ')})`;
		} else {
			button.dataset.ready = '';
			button.addEventListener('click', () => {
				view.scrollToEnd();
				session.feed(linesOf(snippet, available));
				view.focus();
			});
		}
		const item = document.createElement('li');
		item.append(button);
		byId('snippets').append(item);
	}
}

async function start() {
	const wire = new Wire();
	if (!('sockmux' in globalThis)) {
		notice('The script is missing', 'The server did not give sockmux.js, so R can run here but cannot reach the network. Build it with make, then reload.');
	} else {
		follow(/** @type {any} */ (globalThis).sockmux, (now) => wire.draw(now));
	}

	let available = new Map();
	try {
		available = await services();
	} catch (error) {
		view.print('note', `The list of demo services could not be loaded: ${error instanceof Error ? error.message : error}`);
	}
	showServices(available);
	showSnippets(available);

	if (!globalThis.crossOriginIsolated) {
		notice('This page is not cross-origin isolated', globalThis.isSecureContext
			? 'Sockets in R need SharedArrayBuffer, and the browser gives it only to pages that are sent with the headers Cross-Origin-Opener-Policy: same-origin '
				+ 'and Cross-Origin-Embedder-Policy: require-corp. The server sends both: look for a proxy that removes them, or a frame that holds this page.'
			: 'Sockets in R need SharedArrayBuffer, and the browser gives it only over HTTPS or on localhost. Open this page by https:// or as http://localhost.');
	}

	const progress = byId('progress');
	const began = performance.now();
	try {
		const version = await session.start((text, part) => {
			view.setState('loading', text);
			if (part === null) progress.removeAttribute('value');
			else progress.value = part;
		});
		const seconds = ((performance.now() - began) / 1000).toFixed(1);
		view.print('note', `R ${version.r} by webR ${version.webR}, ready in ${seconds} s. Its sockets are real: try an example, or type R.`);
		progress.hidden = true;
		for (const button of byId('snippets').querySelectorAll('button[data-ready]')) button.disabled = false;
		if (matchMedia('(hover: hover)').matches) view.focus();
	} catch (error) {
		progress.hidden = true;
		failed(error);
	}
}

/** @param {unknown} error  R has not started */
function failed(error) {
	const reason = error instanceof Error ? error.message : String(error);
	view.setState('failed', 'R did not start');
	notice('R did not start', `${reason}. The server must have webR’s files: start it with make run, or with --webr DIR.`);
}

start();
