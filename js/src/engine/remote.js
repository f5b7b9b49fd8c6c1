// The Go program in a dedicated worker: the page's half. The tunnel and its streams stay
// in the page as they are; what they ask goes to the worker as messages, and what Go
// tells comes back as messages. Bytes are transferred, never copied twice. host.js is the
// other half.

import { decodeAddresses } from '../wire/addresses.js';
import { GOODBYE_MS, reasonOf } from './tasks.js';

/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('./engine.js').Owner} Owner */
/** @typedef {import('../wire/events.js').Event} Event */

/**
 * To the worker: `start` first of all, then the page's calls of one task together, the
 * bytes of events that the page has worked off, the end.
 * @typedef {{ start: { url: string, module: WebAssembly.Module, traffic: import('./traffic.js').Traffic } } | { calls: [name: string, ...args: any[]][] } | { taken: number } | { end: true }} ToWorker
 */

/**
 * Figures as they are in the worker.
 * @typedef {{ traffic: import('./traffic.js').Traffic, session: { rttMs: number | null, unacknowledged: number } | null }} Figures
 */

/**
 * From the worker. `cost` is what the page tells back with `taken`.
 * @typedef {{ ready: true } | { events: Event[], cost: number, figures: Figures } | { figures: Figures } | { failed: string }} FromWorker
 */

const REFUSED = 'the worker could not be started: worker-src of the Content-Security-Policy must have blob:';

/**
 * Calls that only pass their arguments on.
 * @type {readonly (keyof import('./engine.js').Commands)[]}
 */
const PLAIN = ['setToken', 'open', 'closeWrite', 'stop', 'reset', 'grant', 'setSocketOptions', 'kick', 'resumeSoon'];

/**
 * Runs the program in a worker that was just made from the built tunnel worker. Rejects
 * when the worker cannot start it.
 * @param {{ worker: Worker, module: WebAssembly.Module }} parts
 * @param {Owner} owner
 * @returns {Promise<Engine>}
 */
export function startRemote({ worker, module }, { url, traffic, onevent, onfailure }) {
	/** What the page has not worked off. @type {{ events: Event[], cost: number }[]} */
	const batches = [];
	/** @type {[name: string, ...args: any[]][]} */
	let calls = [];
	/** @type {ArrayBuffer[]} */
	let bytes = [];
	/** @type {Figures['session']} */
	let session = null;
	let dead = false;
	const post = (/** @type {ToWorker} */ message, /** @type {ArrayBuffer[]} */ transfer = []) => worker.postMessage(message, transfer);

	const flush = () => {
		if (dead || calls.length === 0) return;
		const [asked, transfer] = [calls, bytes];
		[calls, bytes] = [[], []];
		post({ calls: asked }, transfer);
	};
	const call = (/** @type {[name: string, ...args: any[]]} */ ...asked) => {
		if (dead) return;
		if (calls.length === 0) queueMicrotask(flush);
		calls.push(asked);
	};
	const drop = () => {
		dead = true;
		worker.terminate();
	};
	const commands = /** @type {import('./engine.js').Commands} */ (/** @type {unknown} */ ({
		...Object.fromEntries(PLAIN.map((name) => [name, (/** @type {any[]} */ ...args) => call(name, ...args)])),
		// What streams and the tunnel hand over has functions in it, and bytes that are
		// the page's own.
		configure: (/** @type {{ url: string, agent: string }} */ config) => call('configure', { url: config.url, agent: config.agent }),
		write(/** @type {number} */ id, /** @type {Uint8Array} */ data) {
			const own = data.slice();
			bytes.push(own.buffer);
			call('write', id, own);
		},
		nextEvent() {
			if (dead) return null;
			for (let batch = batches[0]; batch; batch = batches[0]) {
				const event = batch.events.shift();
				if (event) return event;
				batches.shift();
				post({ taken: batch.cost });
			}
			return null;
		},
		stats: () => session,
	}));
	const engine = {
		commands,
		run() {}, // it runs when the worker is ready
		async end() {
			flush();
			post({ end: true });
			dead = true;
			// The worker ends itself behind its goodbye, within that time at the latest.
			await new Promise((resolve) => {
				setTimeout(resolve, 2 * GOODBYE_MS);
			});
			drop();
		},
		drop,
		decodeAddresses,
	};

	return new Promise((resolve, reject) => {
		let ready = false;
		const fail = (/** @type {string} */ why) => {
			if (dead) return;
			drop();
			if (ready) onfailure(why);
			else reject(new Error(why));
		};
		worker.onmessage = ({ data }) => {
			if (dead) return;
			if (data.figures) {
				Object.assign(traffic, data.figures.traffic);
				session = data.figures.session;
			}
			if (data.events) {
				batches.push(data);
				onevent();
			}
			else if (data.failed) fail(data.failed);
			else if (data.ready) {
				ready = true;
				resolve(engine);
			}
		};
		worker.onerror = (event) => {
			event.preventDefault?.();
			fail(ready || event.message ? `the worker failed: ${event.message}` : REFUSED);
		};
		worker.onmessageerror = () => fail('the worker failed: a message could not be read');
		try {
			post({ start: { url, module, traffic: { ...traffic } } });
		} catch (error) {
			fail(reasonOf(error));
		}
	});
}
