// The rule: which constructions of a WebSocket are sockets of a program and travel through the tunnel. All others get the native object.

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
 * - 'all-binary': any ws: or wss: URL with the subprotocol "binary";
 * - 'none': nothing;
 * - patterns: SOCKFS's form, and one of the patterns fits the target;
 * - a function: what it says.
 * @typedef {'sockfs' | 'all-binary' | 'none' | string | readonly string[] | MatchFunction} Match
 */

/**
 * Decides about one construction: a target (not yet checked) or null for the native object.
 * @callback Rule
 * @param {unknown} url
 * @param {unknown} protocols
 * @returns {Target | null}
 */

/**
 * Makes the rule. Throws a TypeError for a match that is none of the forms.
 * @param {Match} match
 * @param {{ origin: string, report: (error: unknown) => void }} page  the page's own origin, never tunnelled unless a function says
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
	const fits = match === 'sockfs' ? () => true : compilePatterns(match);
	return (url, protocols) => {
		if (typeof url !== 'string' || !isBinary(protocols)) return null;
		const target = foreign(parseSockfs(url));
		return target !== null && fits(target) ? target : null;
	};
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
		// What has no target that could be read is refused as it stands, not handed to the native constructor, which may throw.
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
	// A path that SOCKFS's form has put behind the host does not make another host of it.
	return a.port === b.port && a.host.toLowerCase().replace(/\/.*$/s, '') === b.host.toLowerCase();
}

/**
 * Patterns are HOST or HOST:PORT, separated by spaces or commas. HOST is a name, an address ([IPv6] in brackets), *, or *.NAME for every name
 * below NAME.
 * @param {string | readonly string[]} patterns
 * @returns {(target: Target) => boolean}
 */
function compilePatterns(patterns) {
	const list = typeof patterns === 'string' ? patterns.split(/[\s,]+/).filter(Boolean) : patterns;
	if (!Array.isArray(list) || list.length === 0) {
		throw new TypeError(`match: ${JSON.stringify(patterns)} is not sockfs, all-binary, none, a list of host patterns or a function`);
	}
	const tests = list.map(compilePattern);
	return (target) => tests.some((test) => test(target));
}

/**
 * @param {string} pattern
 * @returns {(target: Target) => boolean}
 */
function compilePattern(pattern) {
	const parts = /^(\[[0-9a-f:.]+\]|\*|(?:\*\.)?[^\s*:[\]/@]+)(?::(\d+))?$/i.exec(pattern);
	if (parts === null) throw new TypeError(`match: ${JSON.stringify(pattern)} is not a pattern HOST or HOST:PORT`);
	const host = unbracket(parts[1].toLowerCase());
	const port = parts[2] === undefined ? null : Number(parts[2]);
	/** @type {(name: string) => boolean} */
	let fits = (name) => name === host;
	if (host === '*') fits = () => true;
	else if (host.startsWith('*.')) fits = (name) => name.endsWith(host.slice(1)) && name.length > host.length - 1;
	return (target) => (port === null || port === target.port) && fits(target.host.toLowerCase());
}
