// The npm package as a user gets it: packed, and installed from the tarball into a project.

import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';

const run = promisify(execFile);

const here = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const APP = here('package/app');
const JS = here('../js');
/** Projects are below it, so that they find the tools in e2e/package/node_modules. */
const PROJECTS = here('package/out');

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 5000;

/**
 * @typedef {object} Project
 * @property {string} folder
 * @property {{ path: string, size: number }[]} files  those of the tarball
 */

/**
 * Copies e2e/package/app and installs the package into it.
 * @param {string} name  of the project
 * @returns {Promise<Project>}
 */
export async function installPackage(name) {
	const folder = `${PROJECTS}/${name}`;
	await rm(folder, { recursive: true, force: true });
	await mkdir(PROJECTS, { recursive: true });
	await cp(APP, folder, { recursive: true });
	const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: JS });
	const [packed] = JSON.parse(stdout);
	await run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${packed.filename}`], { cwd: folder });
	return { folder, files: packed.files };
}

/** The path of a program in the package of a tool. @param {string} path */
export const tool = (path) => here(`package/node_modules/${path}`);

/**
 * Runs a tool to its end.
 * @param {Project} project
 * @param {string} script
 * @param {string[]} flags
 */
export const runTool = ({ folder }, script, flags) => run(process.execPath, [script, ...flags], { cwd: folder });

/**
 * Starts a development server and waits until it answers.
 * @param {Project} project
 * @param {string} script
 * @param {(port: number) => string[]} flags
 * @returns {Promise<{ origin: string, stop: () => Promise<void> }>}
 */
export async function startTool({ folder }, script, flags) {
	const port = await freePort();
	const origin = `http://127.0.0.1:${port}`;
	const child = spawn(process.execPath, [script, ...flags(port)], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] }); // esbuild ends with its input
	const exited = new Promise((resolve) => { child.once('exit', resolve); });
	let said = '';
	const stop = async () => {
		child.kill('SIGTERM');
		const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
		await exited;
		clearTimeout(timer);
	};
	await new Promise((resolve, reject) => {
		const timer = setTimeout(() => fail(`did not start within ${START_TIMEOUT} ms`), START_TIMEOUT);
		const fail = (/** @type {string} */ why) => {
			clearTimeout(timer);
			child.kill('SIGKILL');
			reject(new Error(`${script} ${why}\n${said}`));
		};
		child.once('exit', (code) => fail(`ended with ${code}`));
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
				said += text;
				// All three print their address when they take requests; the colors of
				// some are in between.
				if (!stripVTControlCharacters(said).includes(`:${port}/`)) return;
				clearTimeout(timer);
				resolve(undefined);
			});
		}
	});
	return { origin, stop };
}

/** @returns {Promise<number>} */
function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
			const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
			server.close(() => resolve(port));
		});
	});
}
