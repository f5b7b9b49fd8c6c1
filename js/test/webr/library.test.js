import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installLibrary } from '../../src/webr/library.js';

const ROOT = '/usr/lib/R/library';

/** @param {string[]} paths  that are there */
function fake(...paths) {
	/** @type {Record<string, string>} */
	const files = {};
	const there = new Set(paths);
	return {
		files,
		FS: {
			analyzePath: (/** @type {string} */ path) => ({ exists: there.has(path) }),
			mkdirTree: (/** @type {string} */ path) => void there.add(path),
			writeFile(/** @type {string} */ path, /** @type {string} */ text) {
				assert.ok(there.has(path.slice(0, path.lastIndexOf('/'))), path);
				files[path] = text;
			},
		},
	};
}

const LIBRARY = { 'a/DESCRIPTION': 'A', 'a/R/a': 'code', 'b/DESCRIPTION': 'B' };

test('all files come into the library, in their folders', () => {
	const { FS, files } = fake(ROOT);
	installLibrary(FS, LIBRARY);
	assert.deepEqual(files, { [`${ROOT}/a/DESCRIPTION`]: 'A', [`${ROOT}/a/R/a`]: 'code', [`${ROOT}/b/DESCRIPTION`]: 'B' });
});

test('a package that is there stays as it is', () => {
	const { FS, files } = fake(ROOT, `${ROOT}/a`);
	installLibrary(FS, LIBRARY);
	assert.deepEqual(Object.keys(files), [`${ROOT}/b/DESCRIPTION`]);
});

test('an R with another library gets nothing', () => {
	const { FS, files } = fake();
	installLibrary(FS, LIBRARY);
	assert.deepEqual(files, {});
});
