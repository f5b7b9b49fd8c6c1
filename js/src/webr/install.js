// Brings the layer into webR's worker by itself: the page's Worker constructor puts it before webR's own script.

import { isWebRText, isWebRUrl, rememberBlobs } from './recognise.js';
import { startWorker } from './starter.js';

/**
 * Replaces scope.Worker until the function that it returns is called. Workers that are not webR's get the native constructor's object,
 * as it is; webR's too, with a script of ours in front.
 * @param {object} options
 * @param {(worker: Worker) => void} options.serve  called with every worker of webR's
 * @param {string} options.prelude  absolute URL of the built worker/main.js
 * @param {any} options.scope  the page's global object
 * @param {(note: string) => void} options.say  tells the user: a key of NOTES (notes.js), or a text
 * @returns {() => void}
 */
export function installWorkerHook({ serve, prelude, scope, say }) {
	const Native = scope.Worker;
	if (typeof Native !== 'function') return () => undefined;
	const blobs = rememberBlobs(scope.URL);
	const once = onceEach(say);

	/** @param {string} url @param {WorkerOptions | undefined} options */
	const start = (url, options) => {
		const native = () => new Native(url, options);
		if (options?.type === 'module') return native();
		const blob = blobs.get(url);
		const isWebR = blob ? isWebRText(readBlob(scope, url)) : isWebRUrl(url, scope.location.href);
		if (!isWebR) return native();
		if (!scope.crossOriginIsolated) {
			once('isolated');
			return native();
		}
		const absolute = blob ? '' : new URL(url, scope.location.href).href;
		const given = { token: '', running: false, base: absolute };
		const own = blob ?? `importScripts(${JSON.stringify(absolute)});`;
		const first = `self.sockmuxGiven=${JSON.stringify(given)};importScripts(${JSON.stringify(prelude)});\n`;
		const last = '\n;postMessage({sockmux:{op:"started"}})';
		const script = new Blob([first, own, last], { type: 'text/javascript' });
		const scriptUrl = scope.URL.createObjectURL(script);
		const worker = startWorker({
			Native,
			url: scriptUrl,
			fallback: url,
			options,
			onknown(why) {
				scope.URL.revokeObjectURL(scriptUrl);
				if (why !== null) once(why || 'blob');
			},
		});
		serve(worker);
		return worker;
	};

	// A proxy leaves everything else as it is: the prototype, instanceof, the name, classes that extend it.
	/** @type {any} */
	const Worker = new Proxy(Native, {
		construct(target, args, newTarget) {
			return newTarget === Worker && args.length > 0 ? start(`${args[0]}`, args[1]) : Reflect.construct(target, args, newTarget);
		},
	});
	scope.Worker = Worker;
	return () => {
		if (scope.Worker === Worker) scope.Worker = Native;
		blobs.stop();
	};
}

/**
 * The text of a blob, at once: a constructor cannot wait. Empty where the page's policy forbids that.
 * @param {any} scope
 * @param {string} url
 */
function readBlob(scope, url) {
	try {
		const request = new scope.XMLHttpRequest();
		request.open('GET', url, false);
		request.send();
		return request.responseText;
	} catch {
		return '';
	}
}

/**
 * Repeats no text.
 * @param {(text: string) => void} say
 */
function onceEach(say) {
	const said = new Set();
	return (/** @type {string} */ text) => {
		if (said.has(text)) return;
		said.add(text);
		say(text);
	};
}
