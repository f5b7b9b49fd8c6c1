// The rule: which constructions of a WebSocket are sockets of a program and travel
// through the tunnel. All others get the native object.

import { compilePattern } from './patterns.js';
import { parseAny, parseSockfs, unbracket } from './target.js';

/** @typedef {import('./target.js').Target} Target */

/**
 * What the page may decide itself. true: the target is read from the URL.
 * @callback MatchFunction
 * @param {string} url
 * @param {unknown} protocols  as it was given to the constructor
 * @returns {boolean | Target | null | undefined}
 */

/**
 * - 'sockfs': URL and subprotocol have SOCKFS's form;
 * - 'programs': the same, and a wasm program makes the socket: what the page's own code makes stays native;
 * - 'all-binary': any ws: or wss: URL with the subprotocol "binary";
 * - 'none': nothing;
 * - patterns: SOCKFS's form, and one of the patterns fits the target;
 * - a function: what it says.
 * @typedef {'sockfs' | 'programs' | 'all-binary' | 'none' | string | readonly string[] | MatchFunction} Match
 */

/**
 * Decides about one construction: a target (not yet checked) or null for the native object.
 * @callback Rule
 * @param {unknown} url
 * @param {unknown} protocols
 * @param {boolean} [program]  true: a layer asks, for a socket of a program
 * @returns {Target | null}
 */

/**
 * Makes the rule. Throws a TypeError for a match that is none of the forms.
 * @param {Match} match
 * @param {{ origin: string, report: (error: unknown) => void }} page  the page's own origin, never tunneled unless a function says
 *   so; where an error of a function is told
 * @returns {Rule}
 */
export function createRule(match, { origin, report }) {
	if (typeof match === 'function') return askFunction(match, report);
	const own = ownTarget(origin);
	/** @type {(target: Target | null) => Target | null} */
	const foreign = (target) => (target !== null && own !== null && same(target, own) ? null : target);
	if (match === 'none') return () => null;
	if (match === 'all-binary') return (url, protocols) => (isBinary(protocols) ? foreign(parseAny(`${url}`)) : null);
	const programs = match === 'programs';
	const fits = programs || match === 'sockfs' ? () => true : compilePatterns(match);
	return (url, protocols, program) => {
		if (typeof url !== 'string' || !isBinary(protocols)) return null;
		const target = foreign(parseSockfs(url));
		return target !== null && fits(target) && (program || maker(programs)) ? target : null;
	};
}

/**
 * Whether the code that makes this WebSocket may mean a TCP connection. Its call stack
 * shows wasm under SOCKFS ("wasm-function[" in Chromium, Firefox and Safari), and
 * Emscripten's WebSockets API by its function's name.
 * @param {boolean} programs  only wasm may
 */
function maker(programs) {
	const stack = `${new Error().stack}`;
	return !stack.includes('emscripten_websocket_new') && (!programs || stack.includes('wasm-function['));
}

/**
 * A function that fails must not break the page's own sockets: they stay native.
 * @param {MatchFunction} match
 * @param {(error: unknown) => void} report
 * @returns {Rule}
 */
function askFunction(match, report) {
	return (url, protocols) => {
		const given = `${url}`;
		let answer;
		try {
			answer = match(given, protocols);
		} catch (error) {
			report(error);
			return null;
		}
		if (typeof answer === 'object' && answer !== null) return { host: unbracket(`${answer.host}`), port: Number(answer.port) };
		if (!answer) return null;
		// What has no target that could be read is refused as it stands, not handed to
		// the native constructor, which may throw.
		return parseSockfs(given) ?? parseAny(given) ?? { host: given, port: 0 };
	};
}

/** @param {unknown} protocols */
function isBinary(protocols) {
	return protocols === 'binary' || (Array.isArray(protocols) && protocols.length === 1 && protocols[0] === 'binary');
}

/**
 * @param {string} origin  such as "https://example.org"; "null" and other opaque origins have no target
 * @returns {Target | null}
 */
function ownTarget(origin) {
	const match = /^http(s?):\/\/(.+)$/.exec(origin);
	return match === null ? null : parseAny(`ws${match[1]}://${match[2]}`);
}

/**
 * @param {Target} a
 * @param {Target} b
 */
function same(a, b) {
	return a.port === b.port && a.host.toLowerCase() === b.host.toLowerCase();
}

/**
 * @param {string | readonly string[]} patterns  a text has spaces or commas between them
 * @returns {(target: Target) => boolean}
 */
function compilePatterns(patterns) {
	const list = typeof patterns === 'string' ? patterns.split(/[\s,]+/).filter(Boolean) : patterns;
	if (!Array.isArray(list) || list.length === 0) {
		throw new TypeError(`match: ${JSON.stringify(patterns)} is not sockfs, programs, all-binary, none, a list of host patterns or a function`);
	}
	const tests = list.map(compilePattern);
	return (target) => tests.some((test) => test(target));
}
