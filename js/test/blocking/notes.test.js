import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNotes, startsProgram } from '../../src/blocking/notes.js';

/** @type {Record<string, string>} */
const FILES = {
	'https://site.test/app/python.js': 'importScripts("../lib/loader.js", "x.js")',
	'https://site.test/lib/loader.js': 'var SOCKFS = {}',
	'https://site.test/module.mjs': 'import { loadPyodide } from "https://cdn.test/pyodide.mjs";',
	'https://site.test/plain.js': 'import("./other.js"); import x from "https://cdn.test/x.js"; onmessage = () => {}',
	'https://site.test/other.js': 'nothing',
};

/** @type {string[]} */
const asked = [];
const get = /** @type {any} */ (async (/** @type {string} */ url, /** @type {RequestInit} */ { cache }) => {
	asked.push(url);
	assert.equal(cache, 'force-cache');
	if (!FILES[url]) throw new TypeError('not found');
	return { text: async () => FILES[url] };
});

test('a worker\'s script is a program, or loads one by name', async () => {
	assert.equal(await startsProgram('https://site.test/app/python.js', get), true);
	assert.equal(await startsProgram('https://site.test/module.mjs', get), true);
	assert.equal(await startsProgram('https://site.test/plain.js', get), false);
	assert.equal(await startsProgram(new Blob(['var SOCKFS']), get), true);
	assert.equal(await startsProgram(new Blob(['importScripts("python.js")']), get), false);
	assert.deepEqual(asked.filter((url) => !url.startsWith('https://site.test/')), [], 'only files of the page\'s own origin');
});

test('a note is told once, and one about a worker only if that starts a program', async () => {
	/** @type {string[]} */
	const reports = [];
	const say = createNotes((text) => void reports.push(text), (note) => `<${note}>`, async (script) => {
		if (script === 'fails') throw new Error('no answer');
		return script === 'program';
	});
	for (const about of ['plain', 'fails', 'program', 'program']) await say('programs', about);
	await Promise.all([say('blob'), say('blob')]);
	assert.equal(reports.length, 2);
	assert.match(reports[0], /not cross-origin isolated.*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy.*coi-serviceworker/);
	assert.equal(reports[1], '<blob>');
});
