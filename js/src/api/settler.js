// Promises that sockets settle.

/**
 * A promise to settle from outside. Its rejection counts as handled, so it is no uncaught
 * error.
 * @template [T=any]
 */
export function settler() {
	/** @type {(value: T) => void} */
	let resolve = () => {};
	/** @type {(error: unknown) => void} */
	let reject = () => {};
	/** @type {Promise<T>} */
	const promise = new Promise((yes, no) => {
		resolve = yes;
		reject = no;
	});
	promise.catch(() => {});
	return { promise, resolve, reject };
}
