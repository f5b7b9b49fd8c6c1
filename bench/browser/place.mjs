// Where things run. On loopback everything is in one network. At the far end of a line (bench/tun)
// the servers, the targets and this program are there, and Chromium is at the near end.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The program that makes a line of real TCP. */
export const TUN = join(root, 'bin/bench-tun');

const { BENCH_TUN: control, BENCH_NEAR: near, BENCH_FAR: far } = process.env;

/** Reports whether this program is at the far end of a line. */
export const atFarEnd = Boolean(control);

/** The address at which Chromium reaches what listens here. */
export const HOST = far ?? '127.0.0.1';

/**
 * What to spawn for a program to run in the browser's network.
 * @returns {[command: string, args: string[]]}
 */
export function beside(command, args) {
	return near ? [TUN, ['--enter', near, command, ...args]] : [command, args];
}

/**
 * A path of real TCP: milliseconds, bytes a second, bytes of the bottleneck's queue, milliseconds.
 * @typedef {{ rtt: number, rate: number, queue: number, jitter?: number }} Path
 */

/** Gives the line a path, or none that is felt. @param {Path | {}} path */
export async function setPath(path) {
	const response = await fetch(control, { method: 'PUT', body: JSON.stringify(path) });
	if (!response.ok) throw new Error(`${control}: ${await response.text()}`);
}
