// A worker that was started from a blob has a location against which no relative URL
// resolves. These are resolved as if the worker's own script had been started.

/**
 * Takes the URL of the worker's own script out of its name, where the page has put it
 * (starter.js). Empty if that script is a blob.
 * @param {any} scope
 * @returns {string}
 */
export function takeBase(scope) {
	const at = scope.name.lastIndexOf('\n');
	const base = scope.name.slice(at + 1);
	scope.name = scope.name.slice(0, at);
	return base;
}

/**
 * @param {any} scope
 * @param {string} base  URL of that script
 */
export function resolveAgainst(scope, base) {
	const resolve = (/** @type {unknown} */ url) => {
		if (typeof url !== 'string') return url;
		try {
			return new URL(url, base).href;
		} catch {
			return url; // its receiver reports what is wrong with it
		}
	};
	try {
		Object.defineProperty(scope, 'location', { value: new URL(base), configurable: true, enumerable: true });
	} catch {
		// A scope that does not let go of its location keeps it.
	}
	for (const name of ['Worker', 'WebSocket', 'EventSource', 'Request']) {
		if (scope[name]) {
			scope[name] = new Proxy(scope[name], {
				construct: (target, [url, ...rest], newTarget) => Reflect.construct(target, [resolve(url), ...rest], newTarget),
			});
		}
	}
	const { importScripts, fetch, XMLHttpRequest } = scope;
	scope.importScripts = (/** @type {unknown[]} */ ...urls) => importScripts.apply(scope, urls.map(resolve));
	if (fetch) scope.fetch = (/** @type {unknown} */ input, /** @type {unknown} */ options) => fetch.call(scope, resolve(input), options);
	if (XMLHttpRequest) {
		const { open } = XMLHttpRequest.prototype;
		XMLHttpRequest.prototype.open = /** @this {any} @param {any[]} args */ function (...args) {
			args[1] = resolve(args[1]);
			return open.apply(this, args);
		};
	}
}
