// What Python's tests need beside Pyodide: drivers of Debian, a Redis and a PostgreSQL.

import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.js';
import { until } from './until.js';

/** Where the drivers are; the site serves the file at /built/python.tar. */
const DRIVERS = fileURLToPath(new URL('../out/python.tar', import.meta.url));
const ENSURE = fileURLToPath(new URL('../../tools/ensure-python', import.meta.url));
/** PostgreSQL does not run as root. */
const NOBODY = 65534;

/** Reports whether drivers and servers are there; fetches what is missing. */
export function havePython() {
	try {
		execFileSync(ENSURE, [DRIVERS], { stdio: ['ignore', 'ignore', 'inherit'] });
		return true;
	} catch (error) {
		if (process.env.SOCKMUX_REQUIRE_SERVICES) throw error;
		return false;
	}
}

/**
 * Starts both, without passwords, on loopback.
 * @returns {Promise<{ redis: number, postgres: number, stop: () => Promise<void> }>}  ports
 */
export async function startDatabases() {
	const folder = mkdtempSync(join(tmpdir(), 'sockmux-python-'));
	const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
	if (user.uid) chownSync(folder, user.uid, user.gid);
	/** @type {import('node:child_process').ChildProcess[]} */
	const children = [];
	const start = async (/** @type {string} */ command, /** @type {string[]} */ args, /** @type {RegExp} */ ready) => {
		const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...user });
		children.push(child);
		let said = '';
		for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => void (said += data));
		await until(() => ready.test(said) || (child.exitCode !== null && Promise.reject(new Error(`${command} ended: ${said}`))), command);
	};
	const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
	const bin = `/usr/lib/postgresql/${versions[0]}/bin`;
	const [redis, postgres] = [await freePort(), await freePort()];
	const data = join(folder, 'data');
	execFileSync(`${bin}/initdb`, ['-D', data, '-U', 'alice', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'], { cwd: folder, stdio: 'ignore', ...user });
	await start('redis-server', ['--port', `${redis}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], /Ready to accept connections/);
	await start(`${bin}/postgres`, ['-D', data, '-p', `${postgres}`, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'], /ready to accept connections/);
	return {
		redis,
		postgres,
		async stop() {
			for (const child of children) {
				if (child.exitCode !== null) continue;
				child.kill('SIGINT');
				await once(child, 'exit');
			}
			rmSync(folder, { recursive: true });
		},
	};
}
