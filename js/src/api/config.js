// Reads the configuration: data- attributes of the script element, or an object. Every
// fault names the setting, its value and what would be right.

import { reasonOf } from '../engine/tasks.js';
import { createRule } from '../facade/rule.js';
import { CONNECT_PATH } from '../wire/generated/limit.js';

/** @typedef {import('../facade/rule.js').Match} Match */

/**
 * What a page may say. The attributes have the same names with data- before them, but for
 * `token`, which no attribute carries, because attributes are public.
 * @typedef {object} Options
 * @property {string} [url]  of the server, or of its endpoint .../v1/connect; http:, https:, ws: or wss:; default: where the script came from
 * @property {Match} [match]  which constructions of a WebSocket are tunneled; default: 'sockfs'
 * @property {boolean} [optimistic]  sockets count as open before the server has answered
 * @property {number} [timeout]  seconds that opening a socket may take; default: the server's
 * @property {string} [assets]  URL of the folder with the other files of the build; default: assets/ beside the script
 * @property {string | URL} [wasm]  URL of sockmux.wasm; default: the one that was built with the script
 * @property {string} [integrity]  SRI string of it
 * @property {'eager' | 'lazy'} [load]  whether the wasm is loaded with the page or with the first socket; default: 'eager'
 * @property {boolean} [worker]  whether the tunnel runs in a worker of its own; default: false
 * @property {'sockets' | 'websockets'} [tunnel]  what is carried: sockets of programs, or the page's WebSockets too; default: 'sockets'
 * @property {boolean} [webr]  whether the workers of webR are helped; default: true
 * @property {boolean} [sockfs]  whether Emscripten programs in this thread are helped; default: true
 * @property {boolean} [blocking]  whether those in dedicated workers are helped, where the page is isolated; default: true
 * @property {boolean} [listen]  whether Emscripten programs and R may listen at the server, which must allow it; default: false
 * @property {string} [token]  credential for the server
 */

/**
 * The files of the build by their absolute URLs.
 * @typedef {{ [Name in keyof import('../entry/build.js').BuiltFiles]: import('../entry/parts.js').File }} Files
 */

/**
 * The checked configuration.
 * @typedef {object} Config
 * @property {string} url  of the endpoint, ws: or wss:
 * @property {string} prefix  of the server, http: or https:, with a slash at its end
 * @property {Files} files
 * @property {import('../entry/parts.js').LoadPart} part  loads a file of the build that is a script
 * @property {boolean} pinned  the page may hold the script to an SRI string
 * @property {Match} match
 * @property {string} origin  of the page
 * @property {boolean} optimistic
 * @property {number} [timeoutMs]
 * @property {'eager' | 'lazy'} load
 * @property {boolean} worker
 * @property {'sockets' | 'websockets'} tunnel
 * @property {boolean} webr
 * @property {boolean} sockfs
 * @property {boolean} blocking
 * @property {boolean} listen
 * @property {string} [token]
 */

/** A setting that cannot be used. */
export class ConfigError extends Error {}

/** An hour: what is longer is a mistake in the unit. */
export const MAX_TIMEOUT_S = 3600;

/** The names of settings. @type {readonly (keyof Options)[]} */
const NAMES = ['url', 'match', 'optimistic', 'timeout', 'assets', 'wasm', 'integrity', 'load', 'worker', 'tunnel', 'webr', 'sockfs', 'blocking', 'listen', 'token'];

/** Those that have an attribute. */
const ATTRIBUTES = NAMES.slice(0, -1);

/**
 * The options that the script element gives. Only what has a name of ours is taken, because
 * pages put data- attributes of others on any element. Throws a ConfigError for a name that is
 * nearly one of ours.
 * @param {Record<string, string | undefined>} dataset
 * @returns {{ options: Record<string, unknown>, unknown: string[] }}
 */
export function fromDataset(dataset) {
	/** @type {Record<string, unknown>} */
	const options = {};
	const unknown = [];
	for (const [name, value] of Object.entries(dataset)) {
		if (ATTRIBUTES.includes(/** @type {any} */ (name))) options[name] = value;
		else {
			const [near] = nearest(name, ATTRIBUTES);
			if (near) throw noSetting(`data-${name}`, `data-${near}`);
			unknown.push(`data-${name}`);
		}
	}
	return { options, unknown };
}

/**
 * Throws a ConfigError for a name that is no setting.
 * @param {object} given
 * @param {readonly string[]} [names]  of the settings
 */
export function checkNames(given, names = NAMES) {
	for (const name of Object.keys(given)) {
		if (!names.includes(name)) throw noSetting(name, nearest(name, names)[0] ?? names.join(' or '));
	}
}

/** @param {string} name  @param {string} right */
const noSetting = (name, right) => new ConfigError(`${name} is no setting; ${right} is one`);

/**
 * The names that a misspelled one may have meant: those with its letters, in any order, but for
 * one or two.
 * @param {string} name
 * @param {readonly string[]} names
 */
function nearest(name, names) {
	/** How many letters of b are none of a's. @param {string} a @param {string} b */
	const more = (a, b) => [...a.toLowerCase()].reduce((rest, letter) => rest.replace(letter, ''), b.toLowerCase()).length;
	return names.filter((right) => more(name, right) + more(right, name) < (right.length > 4 ? 3 : 2));
}

/**
 * Checks the options and fills in the defaults. Throws a ConfigError.
 * @param {Record<string, unknown>} given  values may be strings, as attributes give them
 * @param {{ script: string | null, pinned: boolean, page: string, origin: string, built: import('../entry/build.js').BuiltFiles }} place
 *   URL of the script if known, whether the page may hold it to an SRI string, URL and origin of the page, the files of the build
 * @returns {Omit<Config, 'part'>}
 */
export function readConfig(given, { script, pinned, page, origin, built }) {
	const prefix = given.url === undefined ? prefixOf(script) : prefixFrom(given.url, page);
	if (prefix === null) throw new ConfigError('url is missing: it is the URL of the sockmux server, such as "https://tunnel.example.org/"');
	const assets = given.assets === undefined ? new URL('assets/', prefixOf(script) ?? prefix).href : absolute('assets', given.assets, page).replace(/\/?$/, '/');
	const files = /** @type {Config['files']} */ (Object.fromEntries(
		Object.entries(built).map(([key, { name, integrity }]) => [key, { url: new URL(name, assets).href, integrity }]),
	));
	if (given.wasm !== undefined) files.wasm = { url: absolute('wasm', given.wasm, page) };
	// The browser gives out nothing of a file before it has checked all of it, which
	// keeps the compiler waiting. The page trusts the server of a script that it does not
	// pin with more than the wasm, so a check of that server's wasm by that server's
	// script would protect nothing.
	else if (!pinned && script && new URL(assets).origin === new URL(script).origin) delete files.wasm.integrity;
	if (given.integrity !== undefined) files.wasm.integrity = sri(given.integrity);
	const config = {
		url: new URL(CONNECT_PATH, prefix).href.replace(/^http/, 'ws'),
		prefix,
		files,
		pinned,
		match: /** @type {Match} */ (given.match ?? 'sockfs'),
		origin,
		optimistic: flag('optimistic', given.optimistic, false),
		timeoutMs: timeout(given.timeout),
		load: choice('load', given.load, /** @type {const} */ (['eager', 'lazy'])),
		worker: flag('worker', given.worker, false),
		tunnel: choice('tunnel', given.tunnel, /** @type {const} */ (['sockets', 'websockets'])),
		webr: flag('webr', given.webr, true),
		sockfs: flag('sockfs', given.sockfs, true),
		blocking: flag('blocking', given.blocking, true),
		listen: flag('listen', given.listen, false),
		token: given.token === undefined ? undefined : text('token', given.token),
	};
	try {
		createRule(config.match, { origin, report: () => {} });
	} catch (error) {
		throw new ConfigError(reasonOf(error));
	}
	return config;
}

/**
 * The server's prefix by the script's URL: its folder, or the one above where the script
 * has its hashed name in assets/.
 * @param {string | null} script
 */
function prefixOf(script) {
	if (script === null || !/^https?:/.test(script)) return null;
	const folder = new URL('.', script);
	return /\/assets\/sockmux-[0-9a-f]{8}\.m?js$/.test(new URL(script).pathname) ? new URL('..', folder).href : folder.href;
}

/**
 * @param {unknown} value
 * @param {string} page
 */
function prefixFrom(value, page) {
	const url = new URL(absolute('url', value, page));
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
		throw fault('url', url.origin + url.pathname, 'a URL without user name, password, query and fragment: give a credential with setToken');
	}
	url.protocol = url.protocol.replace(/^ws/, 'http');
	url.pathname = url.pathname.replace(/\/?(v1\/connect\/?)?$/, '/');
	return url.href;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} page
 */
function absolute(name, value, page) {
	const given = text(name, value instanceof URL ? value.href : value);
	let url;
	try {
		url = new URL(given, page);
	} catch {
		throw fault(name, given, 'a URL');
	}
	// http: and ws: are swapped by replacing text, because a URL object refuses to change
	// between them.
	const href = name === 'url' ? url.href.replace(/^ws/, 'http') : url.href;
	if (!/^https?:\/\/./.test(href)) throw fault(name, given, name === 'url' ? 'a URL that begins with https:, http:, wss: or ws:' : 'a URL that begins with https: or http:');
	return href;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function text(name, value) {
	if (typeof value !== 'string' || value === '') throw fault(name, value, 'a string that is not empty');
	return value;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} fallback
 */
function flag(name, value, fallback) {
	switch (value) {
		case undefined:
			return fallback;
		case true: case 'true': case 'on': case '':
			return true;
		case false: case 'false': case 'off':
			return false;
		default:
			throw fault(name, value, '"on" or "off"');
	}
}

/**
 * @template {string} T
 * @param {string} name
 * @param {unknown} value
 * @param {readonly [T, ...T[]]} allowed  the first is the default
 * @returns {T}
 */
function choice(name, value, allowed) {
	if (value === undefined) return allowed[0];
	const found = allowed.find((word) => word === value);
	if (found === undefined) throw fault(name, value, allowed.map((word) => `"${word}"`).join(' or '));
	return found;
}

/** @param {unknown} value */
function timeout(value) {
	if (value === undefined) return undefined;
	const seconds = value === '' ? NaN : Number(value);
	if (!(seconds > 0 && seconds <= MAX_TIMEOUT_S)) throw fault('timeout', value, `a number of seconds above 0, at most ${MAX_TIMEOUT_S}`);
	return Math.ceil(seconds * 1000);
}

/** @param {unknown} value */
function sri(value) {
	const given = text('integrity', value);
	if (!/^sha(256|384|512)-[A-Za-z0-9+/]+=*$/.test(given)) throw fault('integrity', given, 'an SRI string such as "sha384-..."');
	return given;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} right
 */
function fault(name, value, right) {
	return new ConfigError(`${name}: ${JSON.stringify(value)} is not ${right}`);
}
