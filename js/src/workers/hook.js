// The page's Worker constructor, with a look at what is started. Recognizers start what
// is theirs; every other worker is the native constructor's, as it is.

import { scriptUrl } from './blobs.js';

/**
 * A worker that the page is about to start.
 * @typedef {object} Wanted
 * @property {any} scope  the page's global object
 * @property {any} given  URL as it was given; a string, a URL or a TrustedScriptURL
 * @property {WorkerOptions | undefined} options
 * @property {typeof Worker} Native
 * @property {Blob | undefined} blob  what is behind the URL, where that is known
 * @property {string} base  absolute URL of the script, empty if it is no file of the page's own origin
 */

/**
 * @callback Recognizer
 * @param {Wanted} wanted
 * @returns {Worker | null}  null: it is not theirs
 */

/**
 * Replaces scope.Worker until the function that it returns is called.
 * @param {any} scope  the page's global object
 * @param {import('./blobs.js').Blobs} blobs
 * @param {Recognizer[]} recognizers
 * @returns {() => void}
 */
export function installWorkerHook(scope, blobs, recognizers) {
	const Native = scope.Worker;
	if (typeof Native !== 'function' || recognizers.length === 0) return () => {};
	// A proxy leaves everything else as it is: the prototype, instanceof, the name,
	// classes that extend it.
	/** @type {any} */
	const Worker = new Proxy(Native, {
		construct(target, args, newTarget) {
			if (newTarget === Worker && args.length > 0) {
				const [given, options] = args;
				const wanted = { scope, given, options, Native, blob: blobs.get(`${given}`), base: scriptUrl(`${given}`, scope.location.href) };
				for (const recognize of recognizers) {
					const worker = recognize(wanted);
					if (worker) return worker;
				}
			}
			return Reflect.construct(target, args, newTarget === Worker ? target : newTarget);
		},
	});
	scope.Worker = Worker;
	return () => {
		if (scope.Worker === Worker) scope.Worker = Native;
	};
}
