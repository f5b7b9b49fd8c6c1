// A browser without a debugger, for what a debugger changes.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.js';
import { resident } from './memory.js';

/** Opens one page. @param {string} url */
export async function startPlain(url) {
	const folder = mkdtempSync(join(tmpdir(), 'sockmux-plain-'));
	const child = spawn(findChromium(), [
		'--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
		`--user-data-dir=${folder}`, url,
	], { stdio: 'ignore', detached: true });
	const exited = new Promise((resolve) => { child.once('exit', resolve); });
	return {
		/** Resident bytes of the largest process that renders a page of this browser. */
		renderer: () => Math.max(0, ...processes().filter(({ command }) => command.includes('--type=renderer') && command.includes(folder)).map(({ pid }) => resident(pid))),
		async stop() {
			process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
			await exited;
			rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
		},
	};
}

/** What runs on this machine. */
function processes() {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => {
		try {
			return { pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'latin1') };
		} catch {
			return { pid: 0, command: '' }; // it has ended meanwhile
		}
	});
}
