// Packs files into what webr::install() takes: a .tgz with a list of its files, which webR mounts
// without unpacking. The list is a member of the archive, and 16 bytes behind it say where it is.

import { gzipSync } from 'node:zlib';

const BLOCK = 512;
const LIST = '.vfs-index.json';
/** "webR" in webR's own order, behind which stand the block and the length of the list. */
const MAGIC = 2003133010;

/** A header of POSIX's ustar. @param {string} name @param {number} size */
function header(name, size) {
	const block = Buffer.alloc(BLOCK);
	const octal = (/** @type {number} */ value, /** @type {number} */ width) => `${value.toString(8).padStart(width - 1, '0')}\0`;
	block.write(name, 0);
	block.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100);
	block.write('        0', 148);
	block.write('ustar\0' + '00', 257);
	block.write(`${octal(block.reduce((sum, byte) => sum + byte, 0), 7)} `, 148);
	return block;
}

/** @param {Buffer} content */
const padded = (content) => Buffer.concat([content, Buffer.alloc(-content.length & (BLOCK - 1))]);

/**
 * @param {string} name  of the package
 * @param {Record<string, string>} files  by their paths in it
 */
export function archive(name, files) {
	/** @type {Buffer[]} */
	const blocks = [];
	let at = 0;
	const add = (/** @type {string} */ path, /** @type {Buffer} */ content) => {
		blocks.push(header(path, content.length), padded(content));
		const start = at + BLOCK;
		at = start + padded(content).length;
		return { start, end: start + content.length };
	};
	const list = Object.entries(files).map(([path, text]) => ({ filename: `/${path}`, ...add(`${name}/${path}`, Buffer.from(text)) }));
	const index = Buffer.from(JSON.stringify({ files: list, remote_package_size: at }));
	const { start } = add(LIST, index);
	const hint = Buffer.alloc(16);
	hint.writeInt32BE(MAGIC, 0);
	hint.writeInt32BE(start / BLOCK, 8);
	hint.writeInt32BE(index.length, 12);
	return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK), hint]), { level: 9 });
}
