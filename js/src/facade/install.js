// Puts the facade in the place of the page's WebSocket constructor and takes it away again.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { createRule } from './rule.js';
import { createStreamSocket } from './websocket.js';
import { wanted } from './wanted.js';

/**
 * @typedef {object} FacadeConfig
 * @property {import('./rule.js').Match} match
 * @property {string} origin  the page's own
 * @property {number} [timeoutMs]
 * @property {boolean} [optimistic]
 * @property {'sockets' | 'websockets'} [tunnel]  websockets: what the rule does not name is carried as a WebSocket
 * @property {import('../entry/parts.js').LoadPart} [part]
 */

/**
 * Replaces scope.WebSocket. What the rule does not name gets the native object, its
 * exceptions included.
 * @param {{ tunnel: Pick<import('../tunnel/tunnel.js').Tunnel, 'open' | 'turn'>, config: FacadeConfig, scope: import('./websocket.js').Scope, made?: () => void }} parts
 *   made: called in the constructor of each socket that the tunnel carries
 * @returns {() => void} puts the native constructor back, if no other script has replaced ours since; sockets that exist live on
 */
export function installFacade({ tunnel, config, scope, made }) {
	const Native = scope.WebSocket;
	const rule = createRule(config.match, { origin: config.origin, report: (error) => console.error('sockmux: match:', error) });
	const StreamSocket = createStreamSocket(tunnel, scope, { timeoutMs: config.timeoutMs, optimistic: config.optimistic });
	let active = true;
	/**
	 * Opens a stream of messages when their part has come.
	 * @param {import('./wanted.js').Wanted} request
	 * @returns {import('./websocket.js').OpenLine}
	 */
	const later = (request) => (handlers) => {
		/** Calls before it is there end it. @type {import('./websocket.js').Line | null} */
		let line = null;
		let over = false;
		/** @type {Promise<typeof import('./messages.js').openMessages>} */
		const load = /** @type {any} */ (config.part)('websockets');
		load.then((open) => {
			if (!over) line = open(tunnel, { ...request, timeoutMs: config.timeoutMs }, handlers);
		}, ({ message }) => {
			console.warn(`sockmux: ${message}`);
			handlers.onclose({ ...ending(CODES.aborted), closeCode: 1006 });
		});
		return {
			write: (bytes, text) => line?.write(bytes, text),
			close: (asked) => line?.close(asked),
			grant: (bytes) => line?.grant(bytes),
			reset(code) {
				over = true;
				line?.reset(code);
			},
		};
	};
	/** @type {typeof WebSocket} */
	const Facade = new Proxy(Native, {
		construct(target, args, newTarget) {
			const found = active && args.length > 0 ? rule(args[0], args[1]) : null;
			const message = found === null && active && config.tunnel === 'websockets' ? wanted(args, config.origin) : null;
			if (found === null && !message) return Reflect.construct(target, args, newTarget === Facade ? target : newTarget);
			made?.();
			const socket = new StreamSocket(`${args[0]}`, found ?? /** @type {import('./wanted.js').Wanted} */ (message), message && later(message));
			if (newTarget !== Facade) adopt(socket, newTarget.prototype, StreamSocket.prototype, Native.prototype);
			return socket;
		},
	});
	Object.defineProperty(StreamSocket.prototype, 'constructor', { value: Facade, writable: true, configurable: true });
	scope.WebSocket = Facade;
	return () => {
		active = false;
		if (scope.WebSocket === Facade) scope.WebSocket = Native;
	};
}

/**
 * Makes a stream's socket an instance of a page's subclass: what the subclass does not
 * define comes from the stream's class.
 * @param {object} socket
 * @param {object} subclass  prototype
 * @param {object} own  prototype of the stream's class
 * @param {object} native  prototype
 */
function adopt(socket, subclass, own, native) {
	/** @type {Set<PropertyKey>} */
	const taken = new Set(['constructor']);
	for (let level = subclass; level && level !== native; level = Object.getPrototypeOf(level)) {
		for (const key of Reflect.ownKeys(level)) taken.add(key);
	}
	for (const key of Reflect.ownKeys(own)) {
		if (!taken.has(key)) Object.defineProperty(socket, key, /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(own, key)));
	}
	Object.setPrototypeOf(socket, subclass);
}
