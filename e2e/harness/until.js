// Waits for a condition. Tests have no fixed sleeps.

const EVERY_MS = 20;
const LIMIT_MS = 15_000;

/**
 * Resolves with the first truthy answer.
 * @template T
 * @param {() => T | Promise<T>} ask
 * @param {string} what  what is waited for, in the error's words
 * @param {number} [limit]  milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(ask, what, limit = LIMIT_MS) {
	const end = performance.now() + limit;
	for (;;) {
		const answer = await ask();
		if (answer) return /** @type {NonNullable<T>} */ (answer);
		if (performance.now() > end) throw new Error(`${what}: not within ${limit} ms`);
		await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
	}
}
