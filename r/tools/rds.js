// Writes R objects as saveRDS(ascii = TRUE) does: what R reads of a package's description. The format is
// that of "R Internals", serialization, version 2.

/**
 * An object of R: a list and its class, texts with names, or a matrix of texts, column by column.
 * @typedef {string[] | number[] | { list: Value[], names?: string[], class?: string[] } | { texts: string[], names?: string[], dim?: number[], dimnames?: Value }} Value
 */

const INTEGERS = 13;
const TEXTS = 16;
const LIST = 19;
const PAIR_WITH_TAG = 1026;
const END = 254;
const SYMBOL = 1;
const IS_OBJECT = 0x100;
const HAS_ATTRIBUTES = 0x200;
const ASCII = 262153;
const UTF8 = 32777;

/** @param {string} text */
function charsxp(text) {
	const bytes = Buffer.from(text);
	let written = '';
	for (const byte of bytes) written += byte > 32 && byte < 127 && byte !== 92 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
	return [bytes.every((byte) => byte < 128) ? ASCII : UTF8, bytes.length, written];
}

/** @param {Record<string, Value | undefined>} values */
function attributes(values) {
	const given = Object.entries(values).filter(([, value]) => value);
	return given.length === 0 ? [] : [...given.flatMap(([name, value]) => [PAIR_WITH_TAG, SYMBOL, ...charsxp(name), ...item(/** @type {Value} */ (value))]), END];
}

/**
 * @param {Value} value
 * @returns {(string | number)[]}
 */
function item(value) {
	if (Array.isArray(value)) {
		if (typeof value[0] === 'number') return [INTEGERS, value.length, .../** @type {number[]} */ (value)];
		return [TEXTS, value.length, .../** @type {string[]} */ (value).flatMap(charsxp)];
	}
	if ('texts' in value) {
		const { texts, names, dim, dimnames } = value;
		return [TEXTS | HAS_ATTRIBUTES, texts.length, ...texts.flatMap(charsxp), ...attributes({ names, dim, dimnames })];
	}
	const more = attributes({ names: value.names, class: value.class });
	const flags = LIST | (more.length > 0 ? HAS_ATTRIBUTES : 0) | (value.class ? IS_OBJECT : 0);
	return [flags, value.list.length, ...value.list.flatMap(item), ...more];
}

/**
 * The text of a file that readRDS() reads.
 * @param {Value} value
 */
export const rds = (value) => ['A', 2, 0x040000, 0x020300, ...item(value), ''].join('\n');
