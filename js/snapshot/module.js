// Reads and writes wasm files as far as a snapshot changes them: by section.
// https://www.w3.org/TR/wasm-core-2/#binary-modules

const HEADER = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Numbers of sections. */
export const MEMORY = 5;
export const GLOBAL = 6;
export const EXPORT = 7;
export const DATA = 11;

/** Kinds of exports. */
export const IS_GLOBAL = 3;

/** Types of numbers. */
const I32 = 0x7f;
const I64 = 0x7e;

/** Opcodes of constant expressions: a constant of the type, and the end. */
const CONST = new Map([[I32, 0x41], [I64, 0x42]]);
const END = 0x0b;

/** @typedef {{ id: number, body: Buffer }} Section */
/** @typedef {{ type: number, mutable: number, value: bigint }} Global */
/** @typedef {{ name: string, kind: number, index: number }} Export */

/** @param {Buffer} file @returns {Section[]} */
export function parse(file) {
	if (!file.subarray(0, HEADER.length).equals(HEADER)) throw new Error('not a wasm file of version 1');
	const reader = new Reader(file, HEADER.length);
	const sections = [];
	while (!reader.done) sections.push({ id: reader.byte(), body: reader.bytes(reader.unsigned()) });
	return sections;
}

/**
 * Returns the file with other sections in place of those that `changed` gives by their number.
 * @param {Section[]} sections
 * @param {Map<number, Buffer>} changed
 */
export function write(sections, changed) {
	return Buffer.concat([HEADER, ...sections.flatMap(({ id, body }) => {
		const content = changed.get(id) ?? body;
		return [Buffer.from([id, ...unsigned(content.length)]), content];
	})]);
}

/** @param {Section[]} sections @param {number} id */
export function section(sections, id) {
	const found = sections.find((each) => each.id === id);
	if (!found) throw new Error(`there is no section ${id}`);
	return found.body;
}

/**
 * Reads the program's globals. Go's are numbers with constants.
 * @param {Buffer} body
 * @returns {Global[]}
 */
export function readGlobals(body) {
	const reader = new Reader(body);
	return Array.from({ length: reader.unsigned() }, () => {
		const type = reader.byte();
		const mutable = reader.byte();
		if (reader.byte() !== CONST.get(type)) throw new Error('a global is not one that Go\'s linker writes');
		const value = reader.signed();
		if (reader.byte() !== END) throw new Error('a global is not one that Go\'s linker writes');
		return { type, mutable, value };
	});
}

/** @param {Global[]} globals */
export function writeGlobals(globals) {
	return list(globals.map(({ type, mutable, value }) => [type, mutable, /** @type {number} */ (CONST.get(type)), ...signed(value), END]));
}

/** @param {Buffer} body @returns {Export[]} */
export function readExports(body) {
	const reader = new Reader(body);
	return Array.from({ length: reader.unsigned() }, () => ({
		name: reader.bytes(reader.unsigned()).toString(), kind: reader.byte(), index: reader.unsigned(),
	}));
}

/** @param {Export[]} exported */
export function writeExports(exported) {
	return list(exported.map(({ name, kind, index }) => [...unsigned(name.length), ...Buffer.from(name), kind, ...unsigned(index)]));
}

/**
 * Writes the one memory, which begins with this number of pages and has no end.
 * @param {number} pages
 */
export const writeMemory = (pages) => list([[0x00, ...unsigned(pages)]]);

/**
 * Writes the data of the memory from an address on.
 * @param {number} address
 * @param {Uint8Array} data
 */
export const writeData = (address, data) =>
	Buffer.concat([Buffer.from([1, 0x00, 0x41, ...signed(BigInt(address)), END, ...unsigned(data.length)]), data]);

/** @param {number[][]} entries */
const list = (entries) => Buffer.from([...unsigned(entries.length), ...entries.flat()]);

/** Unsigned LEB128. @param {number} value */
function unsigned(value) {
	const bytes = [];
	for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
	return [...bytes, value];
}

/** Signed LEB128. @param {bigint} value */
function signed(value) {
	const bytes = [];
	for (; value < -0x40n || value >= 0x40n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
	return [...bytes, Number(value & 0x7fn)];
}

class Reader {
	#from;
	#at;

	/** @param {Buffer} from @param {number} [at] */
	constructor(from, at = 0) {
		this.#from = from;
		this.#at = at;
	}

	get done() {
		return this.#at === this.#from.length;
	}

	/** @param {number} length */
	bytes(length) {
		const bytes = this.#from.subarray(this.#at, this.#at += length);
		if (bytes.length < length) throw new Error('the wasm file is cut off');
		return bytes;
	}

	byte() {
		return this.bytes(1)[0];
	}

	unsigned() {
		return Number(BigInt.asUintN(32, this.#leb().value));
	}

	signed() {
		const { value, bits } = this.#leb();
		return BigInt.asIntN(Math.min(bits, 64), value);
	}

	/** The bits of a number, and how many they are. */
	#leb() {
		let value = 0n;
		for (let bits = 0; ;) {
			const byte = this.byte();
			value |= BigInt(byte & 0x7f) << BigInt(bits);
			bits += 7;
			if (byte < 0x80) return { value, bits };
			if (bits >= 70) throw new Error('a number is longer than 64 bits');
		}
	}
}
