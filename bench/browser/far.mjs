// Families that need a line of real TCP are measured by another run of this program, at the far
// end of one (bench/tun).

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root, TUN } from './place.mjs';

const OUT = join(root, 'bench/out/far.json');

/**
 * Measures one family with the options of this run. Where the system gives no right to a line, the
 * report says so, or, if the line was asked for, it is an error.
 * @param {import('./report.mjs').Report} report
 * @param {string} family
 * @param {boolean} required
 */
export async function measureAtFarEnd(report, family, required) {
	const { status, stderr, error } = spawnSync(TUN, ['true'], { encoding: 'utf8' });
	if (status !== 0) {
		const why = error?.message ?? stderr.trim();
		if (required) throw new Error(`--only ${family}: ${why}`);
		report.fact(family, `not measured: ${why}`);
		return;
	}
	await rm(OUT, { force: true });
	const child = spawn(TUN, [process.execPath, ...process.argv.slice(1), '--only', family, '--out', OUT], { stdio: ['ignore', 'inherit', 'inherit'] });
	const pass = (signal) => child.kill(signal);
	for (const signal of SIGNALS) process.on(signal, pass);
	const [code] = await once(child, 'exit');
	for (const signal of SIGNALS) process.off(signal, pass);
	if (code !== 0) throw new Error(`${family} at the far end of a line: ended with ${code}`);
	await report.merge(OUT);
}

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM']);
