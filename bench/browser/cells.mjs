// The cells of the family "cold": what is moved, in which direction, over how many sockets.

/** Bytes by name. */
const SIZES = { '64KiB': 64 << 10, '256KiB': 256 << 10, '1MB': 1e6, '4MB': 4e6, '16MB': 16e6 };

/**
 * @typedef {{ name: string, direction: string, size: string, bytes: number, streams: number }} Cell
 * The bytes are those of all sockets together.
 */

/** Every cell, as DIRECTION/SIZE/SOCKETS. @type {Cell[]} */
export const CELLS = ['down', 'up'].flatMap((direction) => [1, 6].flatMap((streams) =>
	Object.entries(SIZES).map(([size, bytes]) => ({ name: `${direction}/${size}/${streams}`, direction, size, bytes, streams }))));

/** What reports call a cell. @param {Cell} cell */
export const titleOf = ({ size, direction, streams }) => `${size} ${direction}, ${streams === 1 ? '1 socket' : `${streams} sockets`}`;

/**
 * The cells that one of the patterns names, in the order of `cells`. A pattern is a
 * cell's name; `*` stands for any of its parts.
 * @param {string[]} patterns
 * @param {Cell[]} [cells]
 */
export function choose(patterns, cells = CELLS) {
	const chosen = new Set();
	for (const pattern of patterns) {
		const parts = pattern.split('/');
		const named = cells.filter(({ name }) => {
			const own = name.split('/');
			return parts.length === own.length && parts.every((part, i) => part === '*' || part === own[i]);
		});
		if (named.length === 0) throw new Error(`--cells ${pattern}: there is ${cells.map(({ name }) => name).join(', ')}`);
		for (const cell of named) chosen.add(cell);
	}
	return cells.filter((cell) => chosen.has(cell));
}
