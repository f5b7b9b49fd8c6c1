// Starts bin/sockmux on a port of its own and stops it again.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BINARY = fileURLToPath(new URL('../../bin/sockmux', import.meta.url));
export const WEBR_DIST = fileURLToPath(new URL('../node_modules/webr/dist', import.meta.url));

const START_TIMEOUT = 20_000;
const STOP_TIMEOUT = 10_000;

/**
 * @param {string[]} flags  flags beside --listen, which is always a free port of loopback unless it is among them
 * @param {string} [binary]  another build of the server
 * @returns {Promise<{ origin: string, port: number, pid: number, logs: string[], signal: (name: NodeJS.Signals) => void, stop: () => Promise<number | null> }>}
 */
export async function startSockmux(flags = [], binary = BINARY) {
	if (!existsSync(binary)) throw new Error(`${binary} is missing: run make build`);
	const listen = flags.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
	const child = spawn(binary, [...listen, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
	/** @type {string[]} */
	const logs = [];
	const exited = new Promise((resolve) => { child.once('exit', resolve); });
	/** @type {(code: number | null) => void} */
	let ended = () => {};
	const origin = await new Promise((resolve, reject) => {
		const fail = (/** @type {string} */ why) => {
			child.kill('SIGKILL');
			reject(new Error(`bin/sockmux ${why}\n${logs.join('\n')}`));
		};
		const timer = setTimeout(() => fail(`printed no address within ${START_TIMEOUT} ms`), START_TIMEOUT);
		child.once('error', (error) => fail(`does not start: ${error.message}`));
		ended = (code) => fail(`ended with ${code}`);
		child.once('exit', ended);
		for (const stream of [child.stdout, child.stderr]) {
			let rest = '';
			stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
				const lines = (rest + text).split('\n');
				rest = lines.pop() ?? '';
				for (const line of lines) {
					logs.push(line);
					const found = /https?:\/\/[\w.:[\]-]+:\d+/.exec(line);
					if (!found) continue;
					clearTimeout(timer);
					resolve(found[0]);
				}
			});
		}
	});
	child.off('exit', ended);
	return {
		origin,
		port: Number(new URL(origin).port),
		pid: child.pid ?? 0,
		logs,
		signal: (name) => void child.kill(name),
		async stop() {
			if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
			child.kill('SIGTERM');
			const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
			await exited;
			clearTimeout(timer);
			return child.exitCode;
		},
	};
}
