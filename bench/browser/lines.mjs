// First transfers over real TCP (bench/tun), on fresh pages and after a rest.

import { readFile } from 'node:fs/promises';
import { CELLS, choose } from './cells.mjs';
import { measureFresh } from './cold.mjs';
import { measureIdle } from './idle.mjs';

/** Bytes of 64 packets, the least that a bottleneck's queue holds. */
const LEAST_QUEUE = 64 * 1500;

/** A queue of one round trip. */
const path = (rtt, rate, more = {}) => ({ rtt, rate, queue: Math.max((rtt / 1000) * rate, LEAST_QUEUE), ...more });

/**
 * The lines, with the cells that are measured unless `--cells` says otherwise: what takes long on a
 * slow line is left out. A switch of the LAN has half a megabyte.
 * @type {Record<string, { path: import('./place.mjs').Path, fresh: string[], idle: string[] }>}
 */
export const LINES = {
	'LAN (1 ms, 1 Gbit/s)': { path: path(1, 125e6, { queue: 512 << 10 }), fresh: ['*/*/*'], idle: ['*/1MB/1'] },
	'20 ms, 100 Mbit/s': { path: path(20, 12.5e6), fresh: ['*/*/*'], idle: ['*/1MB/1'] },
	'100 ms, 20 Mbit/s': { path: path(100, 2.5e6), fresh: ['*/64KiB/*', '*/1MB/*', '*/4MB/*'], idle: ['*/1MB/1'] },
	'phone (60 ms, 10 Mbit/s)': { path: path(60, 1.25e6, { jitter: 20 }), fresh: ['*/64KiB/*', '*/1MB/*', '*/4MB/1'], idle: ['*/1MB/1'] },
};

/** The ratios of more rounds differ less than those of the cells. */
const MOST_ROUNDS = 3;

export async function lines(world, report, size) {
	report.fact('congestion control of TCP', (await readFile('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8')).trim());
	const names = Object.keys(LINES);
	const wanted = size.lines ? size.lines.map((part) => oneOf(names, part)) : size.smoke ? names.slice(1, 2) : names;
	const few = { ...size, rounds: Math.min(size.rounds, MOST_ROUNDS), warmups: 0 };
	for (const name of wanted) {
		const { path: way, fresh, idle } = LINES[name];
		const cells = (some) => choose(size.cells ?? (size.smoke ? ['down/64KiB/1'] : some), CELLS);
		if (size.states.includes('fresh')) await measureFresh(world, report, few, { family: `cold, ${name}`, cells: cells(fresh), path: way });
		if (size.states.includes('idle')) await measureIdle(world, report, few, { family: `idle, ${name}`, cells: cells(idle), path: way });
	}
}

/** The line whose name begins with a text. */
function oneOf(names, text) {
	const name = names.find((n) => n.toLowerCase().startsWith(text.toLowerCase()));
	if (!name) throw new Error(`--lines ${text}: there is ${names.join(', ')}`);
	return name;
}
