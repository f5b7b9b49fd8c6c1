// Reads `sockmux` and turns its figures into what is shown. Nothing else in the playground knows their form.

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
