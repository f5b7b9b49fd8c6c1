// Brings the layer into the worker of a webR that runs already, through R itself: for
// pages in which the Worker constructor cannot be replaced, or whose policy forbids
// workers from blob: URLs.

import { NOTES } from './notes.js';

/** @typedef {import('../blocking/bridges.js').Bridges} Bridges */
/** @typedef {{ init: () => Promise<unknown>, evalRVoid: (code: string, options?: { env?: Record<string, string> }) => Promise<void> }} WebR */

let attachments = 0;

/**
 * Resolves when R's sockets go through the tunnel. May be called more than once, and
 * where the layer is there already.
 * @param {object} options
 * @param {Bridges} options.bridges
 * @param {() => Promise<string>} options.source  fetches the text of the built entry/part-webr-worker.js
 * @param {any} options.scope  the page's global object
 * @param {WebR} webR
 * @returns {Promise<void>}
 */
export async function attach({ bridges, source, scope }, webR) {
	if (typeof webR?.evalRVoid !== 'function') throw new TypeError('attach: the argument is no WebR object');
	if (!scope.crossOriginIsolated) throw new Error(`attach: ${NOTES.isolated}`);
	const token = `attach ${++attachments}`;
	const given = { token, running: true, base: '' };
	const workerSource = await source();
	const answer = catchAnswer(scope, token);
	try {
		await webR.init();
		const code = `self.sockmuxGiven=${JSON.stringify(given)};\n${workerSource}\n;0`;
		await webR.evalRVoid('invisible(webr::eval_js(code))', { env: { code } });
	} finally {
		answer.stop();
	}
	// The layer's message left the worker before R's answer did.
	const { worker, message } = answer;
	if (!worker) throw new Error('attach: nothing was heard of the layer in webR\'s worker');
	if (message.op !== 'hello') throw new Error(`attach: ${message.text}`);
	const bridge = bridges.of(worker);
	bridge.receive(message);
	await bridge.ready.catch((error) => {
		throw new Error(`attach: ${error.message}`);
	});
}

/**
 * webR keeps its Worker to itself. But it reads the `data` of every message of its, and
 * so this sees which Worker a message of the layer came from.
 * @param {any} scope
 * @param {string} token
 * @returns {{ worker: Worker | null, message: any, stop: () => void }}
 */
function catchAnswer(scope, token) {
	const { prototype } = scope.MessageEvent;
	const native = Object.getOwnPropertyDescriptor(prototype, 'data');
	const get = /** @type {() => any} */ (native?.get);
	/** @type {ReturnType<typeof catchAnswer>} */
	const answer = {
		worker: null,
		message: null,
		stop: () => Object.defineProperty(prototype, 'data', /** @type {PropertyDescriptor} */ (native)),
	};
	Object.defineProperty(prototype, 'data', {
		...native,
		/** @this {MessageEvent} */
		get() {
			const data = get.call(this);
			if (data?.sockmux?.token === token && this.currentTarget) {
				answer.worker = /** @type {Worker} */ (this.currentTarget);
				answer.message = data.sockmux;
			}
			return data;
		},
	});
	return answer;
}
