// The object `sockmux` that the page sees, and what is installed with it.

import { installFacade } from '../facade/install.js';
import { taskQueue } from '../engine/tasks.js';
import { Tunnel } from '../tunnel/tunnel.js';
import { targetFrom, targetOf } from './address.js';
import { SocketError } from './errors.js';
import { laterSocketOf } from './latersocket.js';
import { checkChoices, milliseconds, socketOptionsFrom } from './options.js';
import { Socket } from './socket.js';
import { tcpSocketOf } from './tcpsocket.js';

/**
 * What connect() takes.
 * @typedef {import('./options.js').SocketChoices & import('./options.js').ConnectChoices} Choices
 */
/** @typedef {import('./config.js').Config} Config */

/**
 * What a layer beside the facade gives: how it is taken away again, and perhaps how a
 * webR is attached by hand and what is done when a socket passes the facade.
 * @typedef {{ remove: () => void, attach?: (webR: any) => Promise<void>, made?: () => void }} Layer
 */

/**
 * Installs a layer. Native is the page's own WebSocket constructor, fetch is sockmux.fetch().
 * @callback InstallLayer
 * @param {{ tunnel: Tunnel, config: Config, scope: any, Native: typeof WebSocket, fetch: (...args: any[]) => Promise<Response> }} parts
 * @returns {Layer}
 */

/** Marks our object, so that a second script knows it from a configuration. */
const MARK = Symbol.for('sockmux.installed');

/**
 * What a first script has installed, or null.
 * @param {any} scope
 * @returns {Sockmux | null}
 */
export function installed(scope) {
	return scope.sockmux?.[MARK] ? scope.sockmux : null;
}

export class Sockmux {
	#tunnel;
	/**
	 * What connect() does where its options say nothing.
	 * @type {{ timeoutMs?: number, optimistic: boolean }}
	 */
	#defaults;
	/** Made when the page asks for it. @type {ReturnType<typeof tcpSocketOf> | null} */
	#TCPSocket = null;
	/** Likewise, by the names that the part has for them. @type {Record<string, any>} */
	#classes = {};
	/**
	 * Gives what is loaded with its first use.
	 * @type {(name: 'direct' | 'http') => Promise<any>}
	 */
	#load;
	/** @type {Layer[]} */
	#layers = [];
	/** @type {(() => void)[]} */
	#undo = [];

	/**
	 * The Fetch standard's fetch() through the tunnel, for any server. It needs no `this`, as the
	 * browser's does not.
	 * @param {any[]} args
	 * @returns {Promise<Response>}
	 */
	fetch = async (...args) => (await this.#load('http')).fetch(...args);

	/**
	 * Installs everything in the scope.
	 * @param {{ scope: any, config: Config, version: string, start: import('../engine/engine.js').StartEngine, layers?: readonly InstallLayer[], schedule?: import('../engine/tasks.js').Schedule, log?: import('../tunnel/tunnel.js').TunnelConfig['log'], loadAdvice?: string }} parts
	 */
	constructor({ scope, config, version, start, layers = [], schedule = taskQueue(), log, loadAdvice }) {
		this.version = version;
		const { WebSocket: Native, Worker, fetch } = scope;
		const tunnel = new Tunnel({ url: config.url, agent: `sockmux.js/${version}`, token: config.token, start, schedule, log, loadAdvice });
		this.#tunnel = tunnel;
		/** @type {Record<string, any>} */
		const parts = {};
		this.#load = async (name) => {
			const part = await config.part(name);
			return (parts[name] ??= part({ tunnel, defaults: this.#defaults, SocketError, Socket, TCPSocket: this.TCPSocket, config, scope, own: { Worker, fetch } }));
		};
		this.#defaults = { timeoutMs: config.timeoutMs, optimistic: config.optimistic };
		this.#undo.push(() => tunnel.close());
		this.#undo.push(installFacade({ tunnel, config, scope, made: () => this.#layers.forEach((layer) => layer.made?.()) }));
		for (const install of layers) {
			const layer = install({ tunnel, config, scope, Native, fetch: this.fetch });
			this.#layers.push(layer);
			this.#undo.push(layer.remove);
		}
		this.#listen(scope, 'online', () => tunnel.kick());
		if (scope.document) this.#listen(scope.document, 'visibilitychange', () => scope.document.visibilityState === 'visible' && tunnel.kick());
		// A page in the back/forward cache comes back, and its session may still be there.
		this.#listen(scope, 'pagehide', (event) => event.persisted || tunnel.close());
		const before = scope.sockmux;
		scope.sockmux = this;
		this.#undo.push(() => {
			if (scope.sockmux === this) scope.sockmux = before;
		});
		if (config.load === 'eager') tunnel.load();
	}

	get [MARK]() {
		return true;
	}

	/** What the one connection does, and what went wrong last. */
	get status() {
		return this.#tunnel.status;
	}

	/** Figures of the connection and of its sockets. */
	stats() {
		return this.#tunnel.stats();
	}

	/**
	 * @param {import('../tunnel/tunnel.js').EventType} type
	 * @param {(value: any) => void} listener
	 */
	on(type, listener) {
		this.#tunnel.on(type, listener);
		return this;
	}

	/**
	 * @param {import('../tunnel/tunnel.js').EventType} type
	 * @param {(value: any) => void} listener
	 */
	off(type, listener) {
		this.#tunnel.off(type, listener);
		return this;
	}

	/** @param {string} token  for the next session */
	setToken(token) {
		this.#tunnel.setToken(token);
	}

	/**
	 * Opens a TCP connection for the page itself: connect("host:port", options),
	 * connect({ hostname, port }, options), or connect(host, port, options). In the last form the
	 * page's direction outlives the target's (allowHalfOpen).
	 * Throws a SocketError for what is no address, and a TypeError for what is no option.
	 * @param {unknown} address
	 * @param {unknown} [port]  or the options
	 * @param {Choices} [choices]
	 */
	connect(address, port, choices) {
		const apart = port !== null && typeof port !== 'object' && (port !== undefined || choices !== undefined);
		const target = apart ? targetFrom(address, port) : targetOf(address);
		const { timeout, optimistic, family, secureTransport, tls, allowHalfOpen = apart, signal, ...socket } = (apart ? choices : /** @type {Choices | null | undefined} */ (port)) ?? {};
		checkChoices({ secureTransport, family, signal });
		const request = {
			...target, family, socketOptions: socketOptionsFrom(socket), timeoutMs: this.#timeoutMs(timeout), optimistic: optimistic ?? this.#defaults.optimistic,
		};
		/** @type {import('./socket.js').Secure} */
		const secure = (plain, given = tls) => new Socket({
			open: (whole, handlers) => this.#tunnel.openOver(this.#load('http').then((part) => part.secure({ request: whole, plain, choices: given })), whole, handlers),
		}, request, { allowHalfOpen, signal });
		return secureTransport === 'on' ? secure() : new Socket(this.#tunnel, request, { allowHalfOpen, signal, secure: secureTransport === 'starttls' ? secure : undefined });
	}

	/** The class of Direct Sockets. */
	get TCPSocket() {
		return (this.#TCPSocket ??= tcpSocketOf(this.#tunnel, () => this.#defaults));
	}

	/** The class of Direct Sockets. */
	get UDPSocket() {
		return this.#later('udp');
	}

	/** The class of Direct Sockets. */
	get TCPServerSocket() {
		return this.#later('server');
	}

	/**
	 * Listens at the server, whose operator must allow it.
	 * @param {[host: string, port: number, options?: import('./listen.js').ListenOptions]} args
	 */
	async listen(...args) {
		return (await this.#load('direct')).listen(...args);
	}

	/** What sockets reject with. */
	get SocketError() {
		return SocketError;
	}

	/**
	 * Asks the server for the addresses of a name.
	 * @param {string} name
	 * @param {{ timeout?: number, family?: 4 | 6, signal?: AbortSignal }} [options]  timeout in seconds; default: the page's settings
	 * @returns {Promise<import('../tunnel/resolve.js').Names>}  rejects with a SocketError, or with the reason of the signal
	 */
	async resolve(name, { timeout, family, signal } = {}) {
		const timeoutMs = this.#timeoutMs(timeout);
		checkChoices({ family, signal });
		try {
			return await this.#tunnel.resolve(`${name}`, { timeoutMs, family, signal });
		} catch (why) {
			signal?.throwIfAborted();
			throw new SocketError(`${name}`, /** @type {import('../wire/codes.js').Ending} */ (why));
		}
	}

	/** A class whose sockets need the part. @param {'udp' | 'server'} name */
	#later(name) {
		return (this.#classes[name] ??= laterSocketOf(async (/** @type {any[]} */ ...args) => (await this.#load('direct'))[name](...args)));
	}

	/** @param {number | undefined} timeout  in seconds */
	#timeoutMs(timeout) {
		return timeout === undefined ? this.#defaults.timeoutMs : milliseconds(timeout);
	}

	/**
	 * Helps a webR whose worker the script could not reach by itself.
	 * @param {unknown} webR  an instance of WebR whose init() has resolved
	 */
	async attach(webR) {
		for (const { attach } of this.#layers) if (attach) await attach(webR);
	}

	/** Ends all sockets and puts the page's WebSocket and Worker back. */
	uninstall() {
		for (const undo of this.#undo.splice(0).reverse()) undo();
	}

	/**
	 * @param {EventTarget} target
	 * @param {string} type
	 * @param {(event: any) => void} listener
	 */
	#listen(target, type, listener) {
		target.addEventListener?.(type, listener);
		this.#undo.push(() => target.removeEventListener?.(type, listener));
	}
}
