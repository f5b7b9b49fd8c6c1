// Brings the layer into webR's worker by itself: the page's Worker constructor puts it
// before webR's own script.

import { rememberBlobs } from '../workers/blobs.js';
import { startWorker } from '../workers/starter.js';
import { isWebRText, isWebRUrl } from './recognize.js';

/**
 * Recognizes webR's workers, until stop().
 * @param {object} options
 * @param {(worker: Worker) => void} options.serve  called with every worker of webR's
 * @param {string} options.prelude  absolute URL of the built entry/part-webr-worker.js
 * @param {any} options.scope  the page's global object
 * @param {(note: string) => void} options.say  tells the user: a key of NOTES (notes.js), or a text
 * @returns {{ recognize: import('../workers/hook.js').Recognizer, stop: () => void }}
 */
export function recognizeWebR({ serve, prelude, scope, say }) {
	const blobs = rememberBlobs(scope.URL);
	const once = onceEach(say);
	return {
		stop: blobs.stop,
		recognize(given, options, Native) {
			if (options?.type === 'module') return null;
			const url = `${given}`;
			const blob = blobs.get(url);
			const isWebR = blob ? isWebRText(readBlob(scope, url)) : isWebRUrl(url, scope.location.href);
			if (!isWebR) return null;
			if (!scope.crossOriginIsolated) {
				once('isolated');
				return null;
			}
			const absolute = blob ? '' : new URL(url, scope.location.href).href;
			const start = { token: '', running: false, base: absolute };
			const own = blob ?? `importScripts(${JSON.stringify(absolute)});`;
			const first = `self.sockmuxGiven=${JSON.stringify(start)};importScripts(${JSON.stringify(prelude)});\n`;
			const worker = startWorker({
				scope,
				Native,
				script: [first, own],
				fallback: blob ?? given,
				own: absolute,
				options,
				onknown(why) {
					if (why !== null) once(why || 'blob');
				},
			});
			serve(worker);
			return worker;
		},
	};
}

/**
 * The text of a blob, at once: a constructor cannot wait. Empty where the page's policy
 * forbids that.
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
