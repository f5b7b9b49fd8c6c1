// The status page: polls status.json and shows what it says.

import { formatAge, formatBytes, formatClock, formatCount } from './format.js';
import { Lives } from './lives.js';
import { Plot, rates } from './plot.js';
import { load } from './report.js';
import { followTheme } from './theme.js';

/** @typedef {import('./report.js').Report} Report */

const INTERVAL = 2000;
/** Rates are means over so many steps, so that they can be read. */
const RATE_STEPS = 3;

/** @param {string} id */
function get(id) {
	const element = document.getElementById(id);
	if (!element) throw new Error(`the page has no #${id}`);
	return element;
}

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
	const element = get(id);
	if (element.textContent !== text) element.textContent = text;
}

const lives = new Lives(get);
const plot = new Plot(get);
/** @type {Report | null} */
let shown = null;

/** @param {Report} report */
function show(report) {
	shown = report;
	write('sessions', formatCount(report.sessions.live));
	write('sessions-more', report.sessions.parked ? `${formatCount(report.sessions.parked)} without a connection` : `${formatCount(report.sessions.opened)} since the start`);
	write('streams', formatCount(report.streams.live));
	write('streams-more', `${formatCount(report.ended.reduce((sum, { count }) => sum + count, 0))} have ended`);
	const rate = (/** @type {number[]} */ series) => {
		const last = rates(series, RATE_STEPS, report.history.step);
		return `${formatBytes(last.reduce((a, b) => a + b, 0) / RATE_STEPS)}/s`;
	};
	write('down', rate(report.history.down));
	write('down-more', `${formatBytes(report.down)} in all`);
	write('up', rate(report.history.up));
	write('up-more', `${formatBytes(report.up)} in all`);
	const refused = report.refusals.counts.reduce((sum, { count }) => sum + count, 0);
	const lately = report.history.refused.reduce((sum, count) => sum + count, 0);
	write('refused', formatCount(refused));
	write('refused-more', refused ? `${formatCount(lately)} in 10 min` : 'nothing so far');
	plot.update(report.history);
	lives.update(report);
	bars('reasons', report.refusals.counts.map(({ stage, reason, meaning, count }) => ({ name: `${stage}: ${words(reason)}`, text: meaning ?? '', count, good: false })));
	bars('ends', report.ended.map(({ code, meaning, count }) => ({ name: words(code), text: code === 'ok' ? 'both sides had finished' : meaning, count, good: code === 'ok' })));
	recent(report);
	write('snippet', `<script src="${report.scriptURL ?? 'https://HOST/sockmux.js'}"></script>`);
	write('version', `sockmux ${report.version}, up for ${formatAge(report.now - report.began)}`);
	if (report.draining) state('wait', 'draining: nothing new is taken');
	else state('good', 'serving');
}

/** Codes and reasons in words. @param {string} code */
function words(code) {
	return code.replaceAll('_', ' ').replaceAll('-', ' ');
}

/**
 * A list of counts with bars.
 * @param {string} id
 * @param {{ name: string, text: string, count: number, good: boolean }[]} items
 */
function bars(id, items) {
	get(`${id}-empty`).hidden = items.length > 0;
	const most = Math.max(...items.map(({ count }) => count));
	get(id).replaceChildren(...items.map(({ name, text, count, good }) => {
		const item = document.createElement('li');
		if (good) item.className = 'ok';
		const bar = document.createElement('div');
		bar.className = 'bar';
		const fill = document.createElement('i');
		fill.style.width = `${(count / most) * 100}%`;
		bar.append(fill);
		item.append(node('b', name), node('span', formatCount(count), 'count'), bar, node('small', text));
		return item;
	}));
}

/** @type {string} */
let recentShown = '';

/** @param {Report} report */
function recent({ refusals }) {
	get('recent-empty').hidden = refusals.recent.length > 0;
	get('recent').hidden = refusals.recent.length === 0;
	const now = JSON.stringify(refusals.recent);
	if (now === recentShown) return; // a list that is the same is not made anew
	recentShown = now;
	get('recent').replaceChildren(...refusals.recent.map(({ at, stage, reason, session, identity, peer, target, text }) => {
		const item = document.createElement('li');
		const who = [identity, session && `session ${session}`, peer].filter(Boolean).join(', ');
		item.append(node('time', formatClock(at)), node('b', target ?? `${stage}: ${words(reason)}`), node('p', who ? `${text} (${who})` : text));
		return item;
	}));
}

/**
 * @param {string} name
 * @param {string} content
 * @param {string} [kind]
 */
function node(name, content, kind) {
	const element = document.createElement(name);
	element.textContent = content;
	if (kind) element.className = kind;
	return element;
}

/**
 * @param {'good' | 'wait' | 'bad'} kind
 * @param {string} text
 */
function state(kind, text) {
	get('state').dataset.state = kind;
	write('state-text', text);
}

async function poll() {
	try {
		show(await load());
	} catch (error) {
		console.warn('status:', error);
		state('bad', shown ? `no answer since ${formatClock(shown.now)}` : 'no answer');
	}
}

/** Polls while the page is visible. */
async function run() {
	for (;;) {
		if (document.visibilityState === 'visible') await poll();
		await new Promise((resolve) => {
			setTimeout(resolve, INTERVAL);
		});
	}
}

followTheme(get('theme'));
document.addEventListener('visibilitychange', () => {
	if (document.visibilityState === 'visible') void poll();
});
get('search').addEventListener('input', (event) => {
	lives.search(/** @type {HTMLInputElement} */ (event.target).value);
	if (shown) lives.update(shown);
});
const choices = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.choice button'));
for (const button of choices) {
	button.addEventListener('click', () => {
		for (const other of choices) other.setAttribute('aria-pressed', String(other === button));
		plot.show(Number(button.dataset.minutes));
	});
}
get('copy').addEventListener('click', async ({ target }) => {
	const button = /** @type {HTMLElement} */ (target);
	try {
		await navigator.clipboard.writeText(get('snippet').textContent ?? '');
		button.textContent = 'Copied';
	} catch { // only https and loopback have a clipboard
		getSelection()?.selectAllChildren(get('snippet'));
		button.textContent = 'Selected: press Ctrl C';
	}
});
void run();
