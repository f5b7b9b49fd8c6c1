// Which constructions of a WebSocket the tunnel can carry as the browser would.

/**
 * What a handshake needs.
 * @typedef {object} Wanted
 * @property {string} host
 * @property {number} port
 * @property {boolean} secure  wss
 * @property {string} resource  path and query
 * @property {string[]} protocols
 */

/**
 * Reads the arguments of the constructor.
 * @param {any[]} args
 * @param {string} origin  the page's own: its server may go by the page's cookies
 * @returns {Wanted | null}  null: it is the browser's, which may throw
 */
export function wanted([url, given = []], origin) {
	try {
		const { href, protocol, host, hostname, port, pathname, search, username, password } = new URL(url);
		const secure = protocol === 'wss:' || protocol === 'https:';
		const protocols = typeof given === 'string' ? [given] : [...given].map(String);
		if ((!secure && protocol !== 'ws:' && protocol !== 'http:') || href.includes('#') || username || password || origin.endsWith(`//${host}`)) return null;
		if (!protocols.every((name, i) => /^[!#-'*+.\w^`|~-]+$/.test(name) && protocols.indexOf(name) === i)) return null;
		return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (secure ? 443 : 80), secure, resource: pathname + search, protocols };
	} catch {
		return null;
	}
}
