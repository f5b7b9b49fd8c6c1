// The tunnel: starts the Go program, owns its streams, tells its state.

import { Blocks } from './backlog.js';
import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { text } from '../wire/events.js';
import * as EVENT from '../wire/generated/event.js';
import { LEVELS, STATES } from '../wire/generated/name.js';
import { Limiter } from './limiter.js';
import { resolve } from './resolve.js';
import { Stream } from './stream.js';
import { checkTarget, joinHostPort } from './target.js';
import { callHandler, reasonOf } from '../engine/tasks.js';
import { Traffic } from '../engine/traffic.js';
import { turns } from './turns.js';

/** @typedef {import('../wire/codes.js').Ending} Ending */
/** @typedef {import('./stream.js').Request} Request */
/** @typedef {import('./stream.js').Handlers} Handlers */

/**
 * - idle: nothing has asked for a connection yet;
 * - loading: the wasm is on its way;
 * - connecting, open, resuming: the one WebSocket is being made, is there, is being made again for the same streams;
 * - closed: the session has ended, the next stream makes a new one;
 * - failed: the wasm could not be loaded or has crashed.
 * @typedef {(typeof STATES)[number] | 'loading' | 'failed'} TunnelState
 */

/**
 * @typedef {object} Status
 * @property {TunnelState} state
 * @property {number} since  milliseconds since 1970
 * @property {number} attempt  how many times in a row the connection has been tried
 * @property {Ending | null} reason  why it is not open
 * @property {Failure | null} lastError  the stream that failed last
 */

/** @typedef {{ target: string, at: number } & Ending} Failure */

/**
 * One stream as `stats` and the events `stream` and `streamend` show it.
 * @typedef {object} StreamStats
 * @property {number} id
 * @property {string} target
 * @property {import('./stream.js').StreamState} state
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number | null} connectMs
 * @property {number} startedAt
 * @property {number | null} closedAt
 * @property {number | null} code  null while it lives
 * @property {import('../wire/codes.js').CodeName | ''} name  of the code
 * @property {string} text
 */

/**
 * @typedef {object} Stats
 * @property {string} url
 * @property {number | null} rttMs
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} messagesIn
 * @property {number} messagesOut
 * @property {number} unacknowledged
 * @property {number} opened  streams since the page was loaded
 * @property {StreamStats[]} streams  those that live and the last ENDED_KEPT that have ended, oldest first
 */

/**
 * idle: no stream lives.
 * @typedef {'state' | 'stream' | 'streamend' | 'notice' | 'idle'} EventType
 */

/**
 * @typedef {object} TunnelConfig
 * @property {string} url  of the server's endpoint, ws: or wss:
 * @property {string} agent  name and version of this client
 * @property {string} [token]
 * @property {import('../engine/engine.js').StartEngine} start  where the Go program runs is its affair
 * @property {import('../engine/tasks.js').Schedule} schedule
 * @property {Pick<Console, 'error' | 'warn' | 'info'>} [log]
 * @property {string} [loadAdvice]  what to do where the wasm could not be started; default: what pages do
 */

/** Ended streams that stats() still shows. */
const ENDED_KEPT = 100;

/** The events of one task; the page's own work comes between two of them. */
const SLICE_MS = 8;

/**
 * A program that did not live that long is not started again before it: it would crash in
 * a loop.
 */
const RESTART_MS = 5000;

const LOAD_ADVICE = 'No program in this page has sockets. Check that the server runs, and that the '
	+ "page's Content-Security-Policy has 'wasm-unsafe-eval' in script-src and the server in connect-src.";

const CRASH_ADVICE = 'All sockets are gone; the next one starts the tunnel anew. Please report this with the lines before it.';

/** The endings that are not worth a line on the console. */
const QUIET = new Set([CODES.ok, CODES.aborted, CODES.not_connected]);

export class Tunnel {
	/** Runs a function in a task of its own; for all that is built on the tunnel. */
	schedule;
	/** Gives an event of a program's its turn. @type {(run: () => void) => void} */
	turn;

	#config;
	#turns;
	#log;
	/** @type {string | undefined} */
	#token;
	/** The running program. @type {import('../engine/engine.js').Engine | null} */
	#engine = null;
	#loading = false;
	/** Tells the engine that loads that a connection is wanted. */
	#want = () => {};
	#closed = false;
	#startedAt = -Infinity;
	#draining = false;
	#nextId = 1;
	/** Sockets since the page was loaded. */
	#opened = 0;
	/** @type {Map<number, Stream>} */
	#live = new Map();
	/** @type {StreamStats[]} */
	#ended = [];
	#traffic = new Traffic();
	#blocks = new Blocks();
	/** @type {Status} */
	#status = { state: 'idle', since: Date.now(), attempt: 0, reason: null, lastError: null };
	/** @type {Map<string, Set<(value: any) => void>>} */
	#listeners = new Map();
	/** What was written to the console last. */
	#said = '';
	#notices = new Limiter((level, line) => this.#write(level, line));

	/** @param {TunnelConfig} config */
	constructor(config) {
		this.#config = config;
		this.#token = config.token;
		this.#log = config.log ?? console;
		this.schedule = config.schedule;
		this.#turns = turns(config.schedule);
		this.turn = this.#turns.turn;
	}

	/**
	 * Opens a stream. Never throws for the target: what is wrong with it comes with onclose.
	 * @param {Request} request
	 * @param {Handlers} [handlers]
	 * @returns {Stream}
	 */
	open(request, handlers = {}) {
		const stream = this.#make(request, handlers, (ended) => this.#onended(ended));
		if (isSocket(stream)) {
			this.#opened++;
			this.schedule(() => this.#emit('stream', describe(stream)));
		}
		const fault = stream.row ? (stream.row.any && request.host === '' ? null : checkTarget(request, stream.row.port)) : ending(CODES.unsupported_kind, `streams of the kind ${request.kind} are not known here`);
		if (!fault) this.#live.set(stream.id, stream);
		if (fault) this.schedule(() => stream.end(fault));
		else if (this.#closed) this.#refuse(stream, 'sockmux was uninstalled');
		else if (this.#engine) stream.attach(this.#engine.commands);
		else if (!this.#loading && performance.now() - this.#startedAt < RESTART_MS && this.#status.state === 'failed') {
			this.#refuse(stream, this.#status.reason?.text ?? '');
		} else {
			this.load();
			this.#want();
		}
		return stream;
	}

	/**
	 * Opens a stream that something else than the server carries, which says what of it is a socket.
	 * @param {Promise<(stream: Stream) => import('./stream.js').StreamCommands>} making
	 * @param {import('./stream.js').Request} request
	 * @param {import('./stream.js').Handlers} handlers
	 * @returns {Stream}
	 */
	openOver(making, request, handlers) {
		const stream = this.#make(request, handlers, () => {});
		making.then((make) => stream.attach(make(stream)), ({ message }) => stream.end(ending(CODES.not_connected, message)));
		return stream;
	}

	/**
	 * @param {import('./stream.js').Request} request
	 * @param {import('./stream.js').Handlers} handlers
	 * @param {(stream: Stream) => void} onended
	 */
	#make(request, handlers, onended) {
		return new Stream(this.#nextId++, request, handlers, { schedule: this.schedule, gather: this.#turns.gather, blocks: this.#blocks, onended });
	}

	/**
	 * Asks the server for the addresses of a name.
	 * @param {string} name
	 * @param {import('./resolve.js').ResolveOptions} [options]
	 */
	resolve(name, options) {
		return resolve(this, (answer) => this.#engine?.decodeAddresses(answer) ?? null, name, options);
	}

	/**
	 * Loads the wasm, so that the first stream need not wait for it. Without effect where
	 * it is loaded.
	 */
	load() {
		if (this.#engine || this.#loading || this.#closed) return;
		this.#loading = true;
		this.#startedAt = performance.now();
		this.#setState('loading', 0, null);
		this.#start().catch((error) => this.#fail(`the wasm could not be started: ${reasonOf(error)}`, this.#config.loadAdvice ?? LOAD_ADVICE));
	}

	/** @returns {Status} a copy */
	get status() {
		return { ...this.#status };
	}

	/** @returns {Stats} */
	stats() {
		const session = this.#engine?.commands.stats() ?? null;
		return {
			url: this.#config.url,
			rttMs: session?.rttMs ?? null,
			...this.#traffic,
			unacknowledged: session?.unacknowledged ?? 0,
			opened: this.#opened,
			streams: [...this.#ended, ...[...this.#live.values()].filter(isSocket).map(describe)].sort((a, b) => a.id - b.id),
		};
	}

	/**
	 * @param {EventType} type
	 * @param {(value: any) => void} listener
	 */
	on(type, listener) {
		const set = this.#listeners.get(type) ?? new Set();
		this.#listeners.set(type, set.add(listener));
	}

	/**
	 * @param {EventType} type
	 * @param {(value: any) => void} listener
	 */
	off(type, listener) {
		this.#listeners.get(type)?.delete(listener);
	}

	/** @param {string} token  sent when the next session begins */
	setToken(token) {
		this.#token = token;
		this.#engine?.commands.setToken(token);
	}

	/** Try at once what waits to be tried again. */
	kick() {
		this.#engine?.commands.kick();
	}

	/** Ends session and program, unless a stream lives. The next one loads the program again. */
	rest() {
		if (this.#live.size > 0 || !this.#engine) return;
		this.#engine.end();
		this.#engine = null;
		this.#setState('idle', 0, null);
	}

	/** Ends every stream and the session. The tunnel cannot be used again. */
	close() {
		if (this.#closed) return;
		this.#closed = true;
		for (const stream of this.#live.values()) stream.abandon();
		this.#engine?.end();
		this.#engine = null;
		this.#endAll(ending(CODES.aborted, 'sockmux was uninstalled'));
		this.#setState('closed', 0, null);
	}

	async #start() {
		/** @type {import('../engine/engine.js').Engine | null} */
		let engine = null;
		engine = await this.#config.start({
			url: this.#config.url,
			traffic: this.#traffic,
			schedule: this.schedule,
			wanted: new Promise((want) => {
				this.#want = want;
			}),
			onevent: () => this.#drainSoon(),
			task: (work) => {
				this.#draining = true; // no task of its own is needed
				work();
				this.#drain();
			},
			onfailure: (why) => this.schedule(() => this.#crashed(engine, why)),
		});
		if (this.#closed) {
			engine.drop();
			return;
		}
		engine.run();
		this.#loading = false;
		this.#engine = engine;
		this.#setState('idle', 0, null);
		const { commands } = engine;
		commands.configure(this.#config);
		if (this.#token !== undefined) commands.setToken(this.#token);
		for (const stream of this.#live.values()) stream.attach(commands);
	}

	#drainSoon() {
		if (this.#draining) return;
		this.#draining = true;
		this.schedule(() => this.#drain());
	}

	/** Hands out events until there are none or the slice is used up. */
	#drain() {
		this.#draining = false;
		const until = performance.now() + SLICE_MS;
		this.#turns.gather(() => {
			for (;;) {
				const event = this.#engine?.commands.nextEvent();
				if (!event) break;
				this.#deliver(event);
				if (performance.now() < until) continue;
				this.#drainSoon();
				break;
			}
		});
	}

	/** @param {import('../wire/events.js').Event} event */
	#deliver(event) {
		if (event.kind === EVENT.state) {
			const why = event.b === 0 && event.data.length === 0 ? null : ending(event.b, text(event.data));
			this.#setState(STATES[event.id] ?? 'closed', event.a, why);
		} else if (event.kind === EVENT.notice) {
			const notice = { level: LEVELS[event.a] ?? 'error', ...ending(event.b, text(event.data)) };
			this.#notices.say(event.a, notice.text);
			this.#emit('notice', notice);
		} else this.#live.get(event.id)?.deliver(event);
	}

	/**
	 * @param {TunnelState} state
	 * @param {number} attempt
	 * @param {Ending | null} reason
	 */
	#setState(state, attempt, reason) {
		const since = state === this.#status.state ? this.#status.since : Date.now();
		this.#status = { ...this.#status, state, since, attempt, reason };
		if (reason && !QUIET.has(reason.code)) this.#say(`${state}: ${reason.name}: ${reason.text}`);
		else if (reason && state !== 'failed' && attempt > 0) this.#say(`${this.#config.url}: ${reason.text}`);
		const { status } = this;
		this.schedule(() => this.#emit('state', status));
	}

	/**
	 * A warning that is the same as the last one is not repeated: attempts fail alike.
	 * @param {string} line
	 */
	#say(line) {
		if (line === this.#said) return;
		this.#said = line;
		this.#log.warn(`sockmux: ${line}`);
	}

	/**
	 * @param {unknown} engine
	 * @param {string} why
	 */
	#crashed(engine, why) {
		if (this.#closed || this.#engine !== engine) return;
		if (!engine && !this.#loading) return;
		this.#fail(`the tunnel has crashed: ${why}`, CRASH_ADVICE);
	}

	/**
	 * @param {string} why
	 * @param {string} advice
	 */
	#fail(why, advice) {
		this.#loading = false;
		this.#engine?.drop();
		this.#engine = null;
		if (this.#closed) return;
		const reason = ending(CODES.not_connected, why);
		if (this.#said !== why) {
			this.#said = why;
			this.#log.error(`sockmux: ${why}. ${advice}`);
		}
		this.#setState('failed', 0, reason);
		this.#endAll(reason);
	}

	/** @param {Ending} why */
	#endAll(why) {
		for (const stream of [...this.#live.values()]) this.schedule(() => stream.end(why));
	}

	/**
	 * @param {Stream} stream
	 * @param {string} why
	 */
	#refuse(stream, why) {
		this.schedule(() => stream.end(ending(CODES.not_connected, why)));
	}

	/** @param {Stream} stream */
	#onended(stream) {
		this.#live.delete(stream.id);
		if (this.#live.size === 0) this.#emit('idle', this);
		if (!isSocket(stream)) return;
		const stats = describe(stream);
		this.#ended.push(stats);
		if (this.#ended.length > ENDED_KEPT) this.#ended.shift();
		const why = /** @type {Ending} */ (stream.ending);
		if (why.code !== CODES.ok && why.code !== CODES.aborted) {
			this.#status = { ...this.#status, lastError: { target: stats.target, at: Date.now(), ...why } };
		}
		const told = stream.quiet && stream.connectMs === null;
		if (!QUIET.has(why.code) && !told) this.#log.warn(`sockmux: ${stats.target}: ${why.name}${why.text === '' ? '' : `: ${why.text}`}`);
		this.#emit('streamend', stats);
	}

	/**
	 * @param {EventType} type
	 * @param {unknown} value
	 */
	#emit(type, value) {
		for (const listener of [...(this.#listeners.get(type) ?? [])]) callHandler(listener, value);
	}

	/**
	 * @param {number} level
	 * @param {string} line
	 */
	#write(level, line) {
		this.#log[LEVELS[level] ?? 'error'](`sockmux: ${line}`);
	}
}

/** Reports whether a stream is a socket of a program. @param {Stream} stream */
const isSocket = (stream) => stream.row?.socket;

/**
 * @param {Stream} stream
 * @returns {StreamStats}
 */
function describe(stream) {
	const { id, name, host, port, state, bytesIn, bytesOut, connectMs, startedAt, closedAt, ending: why } = stream;
	const target = name ?? joinHostPort(host, port);
	return { id, target, state, bytesIn, bytesOut, connectMs, startedAt, closedAt, code: why?.code ?? null, name: why?.name ?? '', text: why?.text ?? '' };
}
