import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { describe, parseDescription } from './description.js';
import { installed } from './library.js';

const folder = (/** @type {string} */ name) => new URL(`../${name}/`, import.meta.url);

test('a DESCRIPTION has its fields, and those of several lines', () => {
	assert.deepEqual(parseDescription('Package: a\nDescription: one\n    two\nAuthors@R: person("x")\n'), { 'Package': 'a', 'Description': 'one\n    two', 'Authors@R': 'person("x")' });
	assert.match(describe('Package: a\nDate: 2026-01-02\n').DESCRIPTION, /^Package: a\nDate: 2026-01-02\nBuilt: R 4\.0\.0; ; 2026-01-02; unix\n$/);
});

test('a package has what R looks for, and its code in one file', () => {
	const files = installed(folder('sockmux'));
	assert.deepEqual(Object.keys(files).sort(), ['DESCRIPTION', 'LICENSE', 'Meta/package.rds', 'NAMESPACE', 'R/sockmux']);
	assert.match(files['R/sockmux'], /^as_js <- /m);
	assert.deepEqual(Object.keys(installed(folder('websocket'))).sort(), ['DESCRIPTION', 'LICENSE', 'Meta/package.rds', 'NAMESPACE']);
});

const hasR = spawnSync('Rscript', ['--version']).status === 0;

test('R loads the packages from these files', { skip: hasR ? false : 'there is no R' }, () => {
	const library = mkdtempSync(join(tmpdir(), 'sockmux-library-'));
	try {
		for (const name of ['sockmux', 'websocket', 'later']) {
			for (const [path, text] of Object.entries(installed(folder(name)))) {
				const file = join(library, name, path);
				mkdirSync(dirname(file), { recursive: true });
				writeFileSync(file, text);
			}
		}
		const code = '.libPaths(commandArgs(TRUE)); library(websocket); library(later); stopifnot(packageVersion("sockmux") == "0.1.0", identical(run_now, sockmux::run_now)); later(function() cat("ran")); invisible(run_now())';
		assert.equal(execFileSync('Rscript', ['--vanilla', '-e', code, library], { encoding: 'utf8' }), 'ran');
	} finally {
		rmSync(library, { recursive: true });
	}
});
