// websockify, which Emscripten's documents tell users to put between the page and a TCP server: one
// WebSocket a connection. ?token=PORT names a port of this machine.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './ports.js';
import { until } from './until.js';

const ENSURE = fileURLToPath(new URL('../../bench/ensure-websockify', import.meta.url));

/**
 * @param {number} base  the first port that it relays to
 * @param {number} span  how many there are
 * @returns {Promise<{ origin: string, stop: () => Promise<void> }>}
 */
export async function startWebsockify(base, span) {
	const command = (await promisify(execFile)(ENSURE)).stdout.trim();
	if (!command) throw new Error('websockify is missing: install it (Debian: apt-get install websockify)');
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-websockify-'));
	const tokens = join(folder, 'tokens');
	const ports = Array.from({ length: span }, (_, i) => base + i);
	await writeFile(tokens, ports.map((port) => `${port}: 127.0.0.1:${port}\n`).join(''));
	const port = await freePort();
	const child = spawn(command, ['--token-plugin', 'ReadOnlyTokenFile', '--token-source', tokens, `127.0.0.1:${port}`], { stdio: 'ignore', detached: true });
	const ended = once(child, 'exit');
	const stop = async () => {
		// It has a process for each connection.
		if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGKILL');
		await ended;
		await rm(folder, { recursive: true });
	};
	try {
		await until(() => answers(port), 'websockify', 20_000);
	} catch (error) {
		await stop();
		throw error;
	}
	return { origin: `ws://127.0.0.1:${port}`, stop };
}

/** @param {number} port @returns {Promise<boolean>} */
const answers = (port) => new Promise((resolve) => {
	const socket = connect(port, '127.0.0.1');
	socket.on('connect', () => {
		socket.destroy();
		resolve(true);
	}).on('error', () => resolve(false));
});
