// Real webR in a page of e2e/pages (they all load pages/webr.js), driven from Node.

/**
 * @typedef {object} R
 * @property {(code: string, timeout?: number) => Promise<any>} evalR  the value of the last expression as plain data; an R error rejects
 * @property {(code: string, timeout?: number) => Promise<{ value: any, ms: number }>} timedR  the same, and how long R took
 * @property {() => Promise<void>} interrupt
 */

const START_TIMEOUT = 90_000;
const EVAL_TIMEOUT = 60_000;

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} what
 * @returns {Promise<T>}
 */
export function within(promise, ms, what) {
	/** @type {NodeJS.Timeout} */
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: no end within ${ms} ms`)), ms);
	});
	return Promise.race([promise, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}

/**
 * Starts webR in the page and gives the means to use it.
 * @param {import('playwright-core').Page} page
 * @param {{ baseUrl?: string, attach?: boolean, channel?: 'PostMessage' | 'SharedArrayBuffer' }} [options]
 * @returns {Promise<R>}
 */
export async function withWebR(page, options = {}) {
	await within(page.evaluate((o) => /** @type {any} */ (globalThis).startWebR(o), options), START_TIMEOUT, 'start of webR');
	/**
	 * R does one thing at a time: what comes after code that does not end would only wait
	 * as well.
	 * @type {Error | null}
	 */
	let stuck = null;
	const evalR = (/** @type {string} */ code, timeout = EVAL_TIMEOUT) => {
		if (stuck) return Promise.reject(new Error(`R is still busy: ${stuck.message}`));
		let ended = false;
		const evaluation = page.evaluate((c) => /** @type {any} */ (globalThis).evalR(c), code).finally(() => {
			ended = true;
			stuck = null;
		});
		return within(evaluation, timeout, `R: ${code.trim().slice(0, 200)}`).catch((error) => {
			if (!ended) stuck = error;
			throw error;
		});
	};
	return {
		evalR,
		async timedR(code, timeout) {
			const began = performance.now();
			const value = await evalR(code, timeout);
			return { value, ms: performance.now() - began };
		},
		interrupt: () => page.evaluate(() => /** @type {any} */ (globalThis).webR.interrupt()),
	};
}
