// The page's Worker constructor, with a look at what is started. Recognizers start what
// is theirs; every other worker is the native constructor's, as it is.

/**
 * @callback Recognizer
 * @param {any} url  as it was given; a string, a URL or a TrustedScriptURL
 * @param {WorkerOptions | undefined} options
 * @param {typeof Worker} Native
 * @returns {Worker | null}  null: it is not theirs
 */

/**
 * Replaces scope.Worker until the function that it returns is called.
 * @param {any} scope  the page's global object
 * @param {Recognizer[]} recognizers
 * @returns {() => void}
 */
export function installWorkerHook(scope, recognizers) {
	const Native = scope.Worker;
	if (typeof Native !== 'function' || recognizers.length === 0) return () => {};
	// A proxy leaves everything else as it is: the prototype, instanceof, the name,
	// classes that extend it.
	/** @type {any} */
	const Worker = new Proxy(Native, {
		construct(target, args, newTarget) {
			if (newTarget === Worker && args.length > 0) {
				for (const recognize of recognizers) {
					const worker = recognize(args[0], args[1], Native);
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
