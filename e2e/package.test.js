// The npm package, installed from its tarball, with each bundler: its development server
// and its build, opened in Chromium.

import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { installPackage, runTool, startTool, tool } from './harness/package.js';
import { startSite } from './harness/site.js';
import { suite } from './harness/suite.js';

/** @type {import('./harness/package.js').Project} */
let project;

const world = suite({
	flags: () => ['--allow-origin', 'http://127.0.0.1:*'],
	async ready() {
		project = await installPackage('bundlers');
	},
});

/**
 * The bundlers with the flags that js/README.md gives, and nothing else.
 * @type {Record<string, { script: string, serve: (port: number) => string[], build: string[], built: string, prepare?: () => Promise<void> }>}
 */
const BUNDLERS = {
	vite: {
		script: tool('vite/bin/vite.js'),
		serve: (port) => ['--host', '127.0.0.1', '--port', `${port}`, '--strictPort'],
		build: ['build'],
		built: 'dist',
	},
	webpack: {
		script: tool('webpack/bin/webpack.js'),
		serve: (port) => ['serve', '--mode', 'development', '--static', 'webpack', '--host', '127.0.0.1', '--port', `${port}`],
		build: ['--mode', 'production', '--output-path', 'webpack'],
		built: 'webpack',
	},
	esbuild: {
		script: tool('../../node_modules/esbuild/bin/esbuild'),
		serve: (port) => ['src/index.js', '--bundle', '--format=esm', '--outdir=esbuild', '--servedir=esbuild', `--serve=127.0.0.1:${port}`],
		build: ['src/index.js', '--bundle', '--minify', '--format=esm', '--splitting', '--outdir=esbuild'],
		built: 'esbuild',
		prepare: () => cp(`${project.folder}/node_modules/sockmux/dist/assets`, `${project.folder}/esbuild/assets`, { recursive: true }),
	},
};

/**
 * Opens the page of a bundle and returns what it tells.
 * @param {string} origin
 * @param {string} [more]  of its query
 */
async function open(origin, more = '') {
	const page = await world.newPage();
	const { echo, refused } = world.targets.ports;
	await page.goto(`${origin}/?server=${encodeURIComponent(world.sockmux.origin)}&echo=${echo}&refused=${refused}${more}`);
	await page.waitForFunction(() => 'told' in globalThis);
	const told = await page.evaluate(() => ({
		.../** @type {any} */ (globalThis).told,
		origins: [...new Set(performance.getEntriesByType('resource').filter(({ name }) => name.includes('.wasm')).map(({ name }) => new URL(name).origin))],
	}));
	assert.deepEqual(told, { text: 'from a bundle', refused: 'refused', origins: [origin] });
	assert.equal(page.carriers.filter((url) => url.startsWith(world.sockmux.origin.replace('http', 'ws'))).length, more === '&worker' ? 0 : 1);
	assert.equal(page.workers().length, more === '&worker' ? 1 : 0);
	const wrong = page.lines.filter((line) => !/refused|\[vite\]|\[webpack|\[HMR\]|Hot Module|Live Reloading|404/.test(line));
	assert.deepEqual(wrong, []);
	await page.context().close();
}

for (const [name, { script, serve, build, built, prepare }] of Object.entries(BUNDLERS)) {
	test(`${name}: the development server`, { timeout: 120_000 }, async () => {
		await prepare?.();
		const server = await startTool(project, script, serve);
		try {
			await open(server.origin);
		} finally {
			await server.stop();
		}
	});

	test(`${name}: a build, also with the tunnel in a worker`, { timeout: 120_000 }, async () => {
		await runTool(project, script, build);
		const site = await startSite({ root: `${project.folder}/${built}` });
		try {
			await open(site.origin);
			await open(site.origin, '&worker');
		} finally {
			await site.stop();
		}
	});
}

test('the tarball has what the package names, and each wasm once', async () => {
	const paths = project.files.map(({ path }) => path);
	assert.deepEqual(paths.filter((path) => path.endsWith('.wasm')), ['dist/assets/sockmux-https.wasm', 'dist/assets/sockmux.wasm']);
	assert.deepEqual(paths.filter((path) => /\.map$|^(src|test)\//.test(path)), []);
	for (const path of ['README.md', 'LICENSE', 'package.json']) assert.ok(paths.includes(path), path);
	const { exports } = JSON.parse(await readFile(`${project.folder}/node_modules/sockmux/package.json`, 'utf8'));
	/** @type {(value: any) => string[]} */
	const named = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(named));
	for (const path of named(exports).filter((target) => !target.includes('*'))) assert.ok(paths.includes(path.slice(2)), path);
	const bytes = project.files.reduce((sum, { size }) => sum + size, 0);
	assert.ok(bytes < 13_800_000, `${bytes} bytes unpacked`); // 9.8 MB are HTTP and TLS
});
