// The kinds of streams that a page opens. A new one is a file with its row, and a line here.

import * as KIND from '../wire/generated/kind.js';
import { acceptRow, listenRow } from './incoming.js';
import { resolveRow } from './resolve.js';

/**
 * What the tunnel knows of a kind.
 * @typedef {object} KindRow
 * @property {boolean} socket  it is a socket of a program, which figures and events tell of
 * @property {boolean} port  its target has a port
 * @property {boolean} [any]  a request without a host is one too
 */

/** @type {Record<number, KindRow>} */
export const KINDS = {
	[KIND.tcp]: { socket: true, port: true },
	[KIND.websocket]: { socket: true, port: true },
	[KIND.udp]: { socket: true, port: true, any: true },
	[KIND.udp_bound]: { socket: true, port: false },
	[KIND.resolve]: resolveRow,
	[KIND.listen]: listenRow,
	[KIND.accept]: acceptRow,
};
