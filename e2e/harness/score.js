// Compares what a case prints with what it prints natively.

/**
 * Tells lines "label: value" with the same label apart.
 * @param {string[]} lines
 * @returns {Map<string, string>}
 */
function labeled(lines) {
	/** @type {Map<string, number>} */
	const seen = new Map();
	return new Map(lines.map((line) => {
		const at = line.indexOf(': ');
		const label = line.slice(0, at);
		const count = (seen.get(label) ?? 0) + 1;
		seen.set(label, count);
		return [`${label}#${count}`, line.slice(at + 2)];
	}));
}

/**
 * Returns one sign for each native line: "+" where the same was printed, "-" where not.
 * @param {string[]} native
 * @param {string[]} printed
 */
export function score(native, printed) {
	const got = labeled(printed);
	return [...labeled(native)].map(([label, value]) => (got.get(label) === value ? '+' : '-')).join('');
}

/**
 * Reports whether a cell has a line wrong that the other has right.
 * @param {string} cell
 * @param {string} other
 */
export function worse(cell, other) {
	return [...other].some((sign, index) => sign === '+' && cell[index] !== '+');
}

/** Joins the best of two runs of one cell. @param {string} one @param {string} other */
export function best(one, other) {
	return [...one].map((sign, index) => (sign === '+' || other[index] === '+' ? '+' : '-')).join('');
}
