// Puts R packages into webR's library, so that library(websocket) finds one. A package that is there
// already stays.

/** Files of installed packages by their paths, PACKAGE/FILE. @typedef {Record<string, string>} Library */

/** Where R looks last. */
const LIBRARY = '/usr/lib/R/library';

/**
 * @param {any} FS  Emscripten's file system
 * @param {Library} library
 */
export function installLibrary(FS, library) {
	const has = (/** @type {string} */ path) => FS.analyzePath(path).exists;
	if (!has(LIBRARY)) return;
	const there = new Set(Object.keys(library).map(packageOf).filter((name) => has(`${LIBRARY}/${name}`)));
	for (const [path, text] of Object.entries(library)) {
		if (there.has(packageOf(path))) continue;
		const file = `${LIBRARY}/${path}`;
		FS.mkdirTree(file.slice(0, file.lastIndexOf('/')));
		FS.writeFile(file, text);
	}
}

/** @param {string} path */
const packageOf = (path) => path.slice(0, path.indexOf('/'));
