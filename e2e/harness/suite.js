// What every test file starts from: one browser, one product server, one website, one set
// of targets, all ended afterwards.

import { after, before } from 'node:test';
import { launch } from './chromium.js';
import { startSite } from './site.js';
import { startSockmux } from './sockmux.js';
import { startTargets } from './targets.js';

/** A page that does not load within this time has failed. */
const PAGE_TIMEOUT = 60_000;

/**
 * @typedef {object} World
 * @property {import('playwright-core').Browser} browser
 * @property {Awaited<ReturnType<typeof startSockmux>>} sockmux
 * @property {Awaited<ReturnType<typeof startSite>>} site  the user's website, cross-origin isolated
 * @property {import('./targets.js').Targets} targets
 * @property {(options?: import('playwright-core').BrowserContextOptions) => Promise<TestPage>} newPage  a fresh context each
 * @property {(stop: { stop: () => Promise<unknown> }) => void} alsoStop  ended with the rest
 */

/**
 * A page whose console is copied to the test's output and kept.
 * @typedef {import('playwright-core').Page & { lines: string[], carriers: string[] }} TestPage
 */

/**
 * Starts the world before the tests of the file and ends it after them. The fields are
 * set when the first test runs.
 * @param {object} [options]
 * @param {(parts: { site: World['site'], targets: World['targets'] }) => string[]} [options.flags]
 * @param {import('./site.js').SiteOptions} [options.site]
 * @param {(world: World) => Promise<unknown>} [options.ready]  what the file itself prepares; hooks of their own would run at the same time as these
 * @returns {World}
 */
export function suite({ flags = () => [], site: siteOptions = {}, ready = async () => undefined } = {}) {
	const world = /** @type {World} */ ({});
	/** @type {{ stop: () => Promise<unknown> }[]} */
	const stops = [];
	const keep = (/** @type {any} */ part) => {
		stops.push(part);
		return part;
	};

	before(async () => {
		world.alsoStop = keep;
		world.targets = keep(await startTargets());
		const words = { ...siteOptions.words };
		world.site = keep(await startSite({ ...siteOptions, words }));
		world.sockmux = keep(await startSockmux([
			'--allow-origin', world.site.origin,
			...allowed(world.targets.ports),
			...flags({ site: world.site, targets: world.targets }),
		]));
		words.SERVER ??= world.sockmux.origin;
		world.browser = await launch();
		keep({ stop: () => world.browser.close() });
		world.newPage = (options) => newPage(world.browser, options);
		await ready(world);
	}, { timeout: 180_000 });

	after(async () => {
		for (const part of stops.reverse()) await part.stop();
	}, { timeout: 30_000 });

	return world;
}

/** Flags that allow every service of the tests but `denied`. @param {Record<string, number>} ports */
function allowed(ports) {
	return Object.entries(ports).filter(([name]) => name !== 'denied').flatMap(([, port]) => ['--allow', `127.0.0.1:${port}`]);
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} [options]
 * @returns {Promise<TestPage>}
 */
async function newPage(browser, options) {
	const context = await browser.newContext(options);
	context.setDefaultTimeout(PAGE_TIMEOUT);
	const page = /** @type {TestPage} */ (await context.newPage());
	page.lines = [];
	page.carriers = [];
	const log = (/** @type {string} */ line) => {
		page.lines.push(line);
		console.log(`    browser: ${line}`);
	};
	page.on('console', (message) => log(`${message.type()}: ${message.text()}`));
	page.on('pageerror', (error) => log(`uncaught: ${error.message}`));
	page.on('crash', () => log('the page crashed'));
	// Every real WebSocket of the page and of its workers, as the browser itself counts them.
	const cdp = await context.newCDPSession(page);
	await cdp.send('Network.enable');
	cdp.on('Network.webSocketCreated', ({ url }) => page.carriers.push(url));
	return page;
}
