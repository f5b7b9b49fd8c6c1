// What the services of the R programs have in common.

/** @typedef {import('node:net').Socket} Socket */

/**
 * Calls on() for each line. take(n, f) gives the next n bytes to f instead.
 * @param {Socket} socket
 * @param {(line: string) => void} on
 */
export function lines(socket, on) {
	let buffer = Buffer.alloc(0);
	/** @type {{ count: number, done: (bytes: Buffer) => void } | null} */
	let wanted = null;
	const next = () => {
		if (wanted) {
			const { count, done } = wanted;
			if (buffer.length < count) return false;
			wanted = null;
			const bytes = buffer.subarray(0, count);
			buffer = buffer.subarray(count);
			done(bytes);
			return true;
		}
		const end = buffer.indexOf(10);
		if (end < 0) return false;
		const line = buffer.subarray(0, end).toString('latin1').replace(/\r$/, '');
		buffer = buffer.subarray(end + 1);
		on(line);
		return true;
	};
	socket.on('data', (data) => {
		buffer = Buffer.concat([buffer, data]);
		while (next());
	});
	return {
		take(/** @type {number} */ count, /** @type {(bytes: Buffer) => void} */ done) {
			wanted = { count, done };
		},
	};
}

/** The bytes that pattern() of prelude.R gives. @param {number} length */
export const pattern = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13) & 255));
