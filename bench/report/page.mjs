// The parts of docs/PERFORMANCE.md that `make bench-report` writes.

/**
 * A part is what the page has between these two lines.
 * @typedef {{ begin: string, end: string }} Part
 */

/** @param {string} name @returns {Part} */
const part = (name) => ({ begin: `<!-- ${name}: written by make bench-report -->`, end: `<!-- end of ${name} -->` });

export const FIGURES = part('figures');

/** Where a rival is ahead. */
export const AHEAD = part('rivals ahead');

/**
 * Returns what stands in a part.
 * @param {string} page
 * @param {Part} part
 */
export function take(page, { begin, end }) {
	const [, rest] = page.split(`${begin}\n`);
	const [text, tail] = rest?.split(end) ?? [];
	if (tail === undefined) throw new Error(`the page lacks the lines ${begin} and ${end}`);
	return text;
}

/**
 * Returns the page with another text in a part.
 * @param {string} page
 * @param {Part} part
 * @param {string} text
 */
export function put(page, which, text) {
	const before = take(page, which);
	const { begin, end } = which;
	return page.replace(`${begin}\n${before}${end}`, () => `${begin}\n\n${text.trim()}\n${end}`);
}
