// Turns of the page's programs. Each event that a program gets has a turn of its own, and between
// two of them its promises settle. The first turn for which a task of the tunnel's asks is at the
// end of that task, which saves a task; each other one is a task.

/**
 * @param {import('../engine/tasks.js').Schedule} schedule
 */
export function turns(schedule) {
	/** Turns that wait, and one at the end of a task until promises have settled. */
	let busy = 0;
	/**
	 * The turn at the end of the present task; undefined outside of gather().
	 * @type {(() => void) | null | undefined}
	 */
	let first;
	return {
		/** Runs a function in a turn behind those that wait. @param {() => void} run */
		turn(run) {
			if (busy++ === 0 && first === null) first = run;
			else {
				schedule(() => {
					busy--;
					run();
				});
			}
		},

		/**
		 * Does a task's work that asks for turns. No code of the page may be on the stack.
		 * @param {() => void} work
		 */
		gather(work) {
			first = null;
			work();
			const run = /** @type {(() => void) | null} */ (first);
			first = undefined;
			if (run) {
				queueMicrotask(() => busy--);
				run();
			}
		},
	};
}
