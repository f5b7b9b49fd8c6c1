// Finds out why a dial failed, which the browser hides from scripts.

import { ATTEMPT_KEY, CHECK_PATH, ORIGIN_KEY } from '../wire/generated/limit.js';

/** How long a question may take: the next attempt waits for the answer. */
const PROBE_MS = 2000;

/**
 * What the server says of a page and its last upgrade.
 * @typedef {{ origin: string, allowed: boolean, refused: { status: number, text: string } | null }} Check
 */

const options = () => /** @type {RequestInit} */ ({ cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PROBE_MS) });

/**
 * Asks the server's check route (docs/PROTOCOL.md, 2). Resolves with a text for people.
 * @param {string} url  of the endpoint, ws: or wss:
 * @param {string} attempt  what the dial had in its query
 * @param {(check: URL, error: unknown) => Promise<string>} [unanswered]  what to say where the script gets no answer
 */
export async function whyUnreachable(url, attempt, unanswered = silent) {
	const check = new URL(`../${CHECK_PATH}`, url.replace(/^ws/, 'http'));
	const query = new URLSearchParams({ [ATTEMPT_KEY]: attempt });
	// The browser itself says the origin, but not to the page's own server.
	if (globalThis.origin) query.set(ORIGIN_KEY, globalThis.origin);
	const asked = new URL(`?${query}`, check);
	let response;
	try {
		response = await fetch(asked, options());
	} catch (error) {
		return unanswered(check, error);
	}
	/** @type {Check | null} */
	const said = await response.json().catch(() => null);
	if (typeof said?.allowed !== 'boolean') {
		return `${check.href} was answered with status ${response.status}, and not by sockmux: a proxy or a firewall on the way, or another server`;
	}
	if (!said.allowed) return `${check.origin} accepts no WebSocket from this page: the server must be started with --allow-origin ${said.origin}`;
	if (said.refused) return `${check.origin} refused the WebSocket with status ${said.refused.status}: ${said.refused.text}`;
	return `${check.origin} answers, but the WebSocket did not come to it: a proxy or a firewall on the way ended the connection or answered in its place`;
}

/**
 * What to say of a server whose answer no script may read, or that gives none.
 * @param {URL} check
 */
async function silent(check) {
	try {
		await fetch(check, { ...options(), mode: 'no-cors' });
	} catch {
		// An isolated page gets no foreign answer at all (COEP).
		const foreign = globalThis.crossOriginIsolated ? ', a proxy or a firewall answers in its place (the network tab of the browser shows that)' : '';
		return `${check.origin} cannot be reached${foreign}, or the Content-Security-Policy of this page forbids it`;
	}
	return `${check.href} was answered with a page that is not sockmux's: a proxy or a firewall on the way, or another server. Open that address in a tab to see it`;
}
