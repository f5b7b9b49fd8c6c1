// The Go program in a dedicated worker: the worker's half. remote.js is the other half
// and says what the messages are.

import { startEngine } from './engine.js';
import { programFrom } from './program.js';
import { reasonOf } from './tasks.js';
import { Traffic } from './traffic.js';

/** @typedef {import('./remote.js').FromWorker} FromWorker */
/** @typedef {import('./remote.js').ToWorker} ToWorker */
/** @typedef {import('./engine.js').Engine} Engine */

/**
 * The side of the page: the worker's global object, or a MessagePort.
 * @typedef {{ postMessage: (message: any, transfer: any[]) => void, onmessage: ((event: any) => void) | null }} Port
 */

/**
 * Bytes of events on their way to the page at most. What is beyond waits in Go, whose
 * windows hold the servers back: a page that is busy must not become a page that is full.
 */
const AHEAD_BYTES = 1024 * 1024;

/** Bytes of events in one message at most. */
const BATCH_BYTES = 256 * 1024;

/** What an event costs beside its bytes. */
const EVENT_BYTES = 64;

/** How old the page's figures may be. */
const FIGURES_MS = 500;

/**
 * Serves the page until it says that it is enough.
 * @param {{ port: Port, Native: typeof WebSocket, Go: import('./go.js').GoClass, schedule: import('./tasks.js').Schedule, close: () => void, probe?: import('./carrier.js').Probe, program?: typeof programFrom }} parts
 *   close ends this worker
 */
export function serve({ port, Native, Go, schedule, close, probe, program = programFrom }) {
	const traffic = new Traffic();
	/** @type {Engine | null} */
	let engine = null;
	/** Bytes of events that the page has not worked off. */
	let ahead = 0;
	let queued = false;
	/** The figures that the page has. */
	let told = '';
	/** @type {ReturnType<typeof setInterval> | undefined} */
	let timer;
	const post = (/** @type {FromWorker} */ message, /** @type {ArrayBuffer[]} */ transfer = []) => port.postMessage(message, transfer);
	const figures = () => ({ traffic: { ...traffic }, session: engine?.commands.stats() ?? null });

	const drainSoon = () => {
		if (queued || !engine) return;
		queued = true;
		schedule(drain);
	};
	const drain = () => {
		queued = false;
		if (!engine) return;
		while (ahead < AHEAD_BYTES) {
			const events = [];
			const transfer = [];
			let cost = 0;
			while (cost < BATCH_BYTES) {
				const event = engine.commands.nextEvent();
				if (!event) break;
				events.push(event);
				cost += EVENT_BYTES + event.data.length;
				if (event.data.length > 0) transfer.push(/** @type {ArrayBuffer} */ (event.data.buffer));
			}
			if (events.length === 0) break;
			ahead += cost;
			post({ events, cost, figures: figures() }, transfer);
		}
	};
	/** Go has no figures before it is configured. */
	const tellFigures = () => {
		timer ??= setInterval(() => {
			const now = figures();
			const line = JSON.stringify(now);
			if (line !== told) post({ figures: now });
			told = line;
		}, FIGURES_MS);
	};
	const stop = () => {
		clearInterval(timer);
		engine = null;
	};
	const fail = (/** @type {string} */ failed) => {
		stop();
		post({ failed });
	};

	/** @param {Extract<ToWorker, { start: any }>['start']} given */
	const start = async ({ url, module, traffic: before }) => {
		Object.assign(traffic, before);
		try {
			engine = await startEngine({ start: program(module, Go), Native, probe }, {
				url,
				traffic,
				schedule,
				onevent: drainSoon,
				task(work) {
					queued = true; // no task of its own is needed
					work();
					drain();
				},
				onfailure: (why) => schedule(() => fail(why)),
			});
		} catch (error) {
			fail(reasonOf(error));
			return;
		}
		engine.run();
		post({ ready: true });
	};

	port.onmessage = ({ data }) => {
		if (data.start) start(data.start);
		else if (data.end) {
			const gone = engine?.end();
			stop();
			if (gone) gone.then(close);
			else close();
		} else if (data.taken) {
			ahead -= data.taken;
			drainSoon();
		} else if (engine && data.calls) {
			const commands = /** @type {any} */ (engine.commands);
			for (const [name, ...args] of data.calls) commands[name](...args);
			tellFigures(); // the first call was configure
		}
	};
}
