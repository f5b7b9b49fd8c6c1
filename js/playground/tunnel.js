// Reads `sockmux` and turns its figures into what is shown. Nothing else in the
// playground knows their form.

import { codeText } from './reasons.js';

/** @typedef {'idle' | 'connecting' | 'open' | 'resuming' | 'closed' | 'failed'} State */

/**
 * @typedef {object} SocketView
 * @property {number} id
 * @property {string} target
 * @property {State} state
 * @property {string} stateText
 * @property {string} detail
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number | null} latency  milliseconds from the request to its result
 */

/**
 * @typedef {object} TunnelView
 * @property {State} state
 * @property {string} stateText
 * @property {string} url
 * @property {number | null} rtt
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} messagesIn
 * @property {number} messagesOut
 * @property {number} unacked
 */

/** @typedef {{ tunnel: TunnelView, sockets: SocketView[], opened: number }} View */

/** How often the figures are read: bytes move without an event. */
const PERIOD_MS = 250;

/** @type {Record<string, { state: State, text: string }>} */
const TUNNEL_STATES = {
	idle: { state: 'idle', text: 'no connection needed yet' },
	loading: { state: 'connecting', text: 'loading' },
	connecting: { state: 'connecting', text: 'connecting' },
	open: { state: 'open', text: 'connected' },
	resuming: { state: 'resuming', text: 'connecting again' },
	closed: { state: 'closed', text: 'not connected' },
	failed: { state: 'failed', text: 'failed' },
};

/** @type {Record<string, { state: State, text: string }>} */
const SOCKET_STATES = {
	connecting: { state: 'connecting', text: 'connecting' },
	open: { state: 'open', text: 'open' },
	closing: { state: 'open', text: 'closing' },
};

/**
 * Draws now, at every event, and a few times a second while the page is seen.
 * @param {import('../types/sockmux.d.ts').Sockmux} sockmux
 * @param {(view: View) => void} draw
 */
export function follow(sockmux, draw) {
	let asked = false;
	const soon = () => {
		if (asked) return;
		asked = true;
		requestAnimationFrame(() => {
			asked = false;
			draw(view(sockmux));
		});
	};
	for (const type of /** @type {const} */ (['state', 'stream', 'streamend'])) sockmux.on(type, soon);
	setInterval(soon, PERIOD_MS);
	draw(view(sockmux));
}

/**
 * @param {import('../types/sockmux.d.ts').Sockmux} sockmux
 * @returns {View}
 */
function view(sockmux) {
	const { status } = sockmux;
	const stats = sockmux.stats();
	const { state, text } = TUNNEL_STATES[status.state];
	return {
		tunnel: {
			state,
			stateText: status.reason && state !== 'open' ? `${text}: ${codeText(status.reason.name)}` : text,
			url: stats.url,
			rtt: stats.rttMs,
			bytesIn: stats.bytesIn,
			bytesOut: stats.bytesOut,
			messagesIn: stats.messagesIn,
			messagesOut: stats.messagesOut,
			unacked: stats.unacknowledged,
		},
		sockets: stats.streams.map(socketView),
		opened: stats.opened,
	};
}

/**
 * @param {import('../types/sockmux.d.ts').StreamStats} stream
 * @returns {SocketView}
 */
function socketView(stream) {
	const { id, target, bytesIn, bytesOut, connectMs: latency } = stream;
	const live = SOCKET_STATES[stream.state];
	/** @type {{ state: State, text: string }} */
	const shown = live ?? { state: stream.name === 'ok' || stream.name === 'aborted' ? 'closed' : 'failed', text: codeText(stream.name) };
	return { id, target, state: shown.state, stateText: shown.text, detail: stream.text || shown.text, bytesIn, bytesOut, latency };
}
