// The pages of examples/, as their own server serves them.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const SSHD = join(EXAMPLES, 'internal/test/sshd');

/** Wants what `make examples` builds. @param {string} name  of a page with a Go program */
export function wantProgram(name) {
	if (!existsSync(join(EXAMPLES, name, 'main.wasm'))) throw new Error(`examples/${name}/main.wasm is missing: run make examples`);
}

/**
 * Starts a process that prints a line when it is ready.
 * @param {string[]} command
 * @param {RegExp} ready  found in one of its lines
 * @param {'stdout' | 'stderr'} [from]
 * @returns {Promise<{ found: RegExpExecArray, stop: () => Promise<void> }>}
 */
async function start([program, ...args], ready, from = 'stdout') {
	const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
	const exited = new Promise((resolve) => { child.once('exit', resolve); });
	let text = '';
	const found = await new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code) => reject(new Error(`${program} ended with ${code}\n${text}`)));
		for (const stream of /** @type {const} */ (['stdout', 'stderr'])) {
			child[stream].setEncoding('utf8').on('data', (/** @type {string} */ part) => {
				text += part;
				const match = ready.exec(text);
				if (match && stream === from) resolve(match);
			});
		}
	});
	return {
		found,
		async stop() {
			child.kill();
			await exited;
		},
	};
}

/** Starts the examples' own server on a free port. */
export async function startExamples() {
	const { found, stop } = await start([process.execPath, join(EXAMPLES, 'serve.mjs'), '0'], /http:\S+/);
	return { origin: new URL(found[0]).origin, url: found[0], stop };
}

/** Why a test of OpenSSH's server does not run; false: it does. */
export function withoutSshd() {
	const there = ['/usr/sbin', ...(process.env.PATH ?? '').split(':')].some((folder) => existsSync(join(folder, 'sshd')));
	return there || process.env.SOCKMUX_REQUIRE_SERVICES ? false : 'sshd is not installed: run tools/ensure-services as root';
}

/**
 * Starts OpenSSH's server.
 * @param {string} folder  for its keys
 */
export async function startSshd(folder) {
	const port = await freePort();
	const { stop } = await start([SSHD, folder, String(port)], /Server listening/, 'stderr');
	const [, fingerprint] = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'host_ecdsa.pub')], { encoding: 'utf8' }).split(' ');
	return { port, user: userInfo().username, fingerprint, stop };
}

/** Starts the SSH server with passwords. @param {string} folder  for its program */
export async function startPasswordServer(folder) {
	const program = join(folder, 'sshserver');
	execFileSync('go', ['build', '-o', program, './internal/test/sshserver'], { cwd: EXAMPLES });
	const { found, stop } = await start([program], /:(\d+) (SHA256:\S+)/);
	return { port: Number(found[1]), fingerprint: found[2], stop };
}

/** @returns {Promise<number>} */
async function freePort() {
	const server = createServer();
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	await new Promise((resolve) => { server.close(resolve); });
	return port;
}
