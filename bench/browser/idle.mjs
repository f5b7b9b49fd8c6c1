// A transfer after a rest: the session has moved something, the sockets are open, and for half a
// minute nothing has happened. TCP has forgotten its rate by then (tcp_slow_start_after_idle).

import { setTimeout } from 'node:timers/promises';
import { orderOf } from './alternate.mjs';
import { CELLS, choose, titleOf } from './cells.mjs';
import { GOAL } from './cold.mjs';
import { setPath } from './place.mjs';

/** What a page has moved before, each way. */
const MOVED_BYTES = 1e6;

const REST_MS = 30_000;

/** A round takes a minute. */
const MOST_ROUNDS = 3;

/** What is measured unless `--cells` says otherwise. */
const SOME = ['*/64KiB/*', '*/1MB/*', '*/16MB/*'];

export async function idle(world, report, size) {
	await measureIdle(world, report, size, { family: 'idle', cells: choose(size.cells ?? (size.smoke ? ['down/1MB/1'] : SOME), CELLS) });
}

/**
 * A family of transfers after a rest. All pages of a round rest at the same time.
 * @param {{ family: string, cells: import('./cells.mjs').Cell[], path?: import('./place.mjs').Path }} what
 */
export async function measureIdle(world, report, size, { family, cells, path }) {
	const kinds = world.kindsOf(['native', 'sockmux', 'wisp']);
	const ports = { down: world.ports.source, up: world.ports.sink };
	/** @type {Record<string, number[]>[]} */
	const values = cells.map(() => Object.fromEntries(kinds.map((kind) => [kind, []])));
	for (let round = 0; round < Math.min(size.rounds, MOST_ROUNDS); round++) {
		const pages = [];
		if (path) await setPath({});
		for (const [i, cell] of cells.entries()) {
			for (const kind of orderOf(kinds, round)) pages.push({ cell, kind, values: values[i][kind], page: await world.newPage({ kind, fresh: true }) });
		}
		if (path) await setPath(path);
		for (const { page, kind, cell } of pages) {
			await page.evaluate((a) => window.bench.rest(a), { kind, streams: cell.streams, port: ports[cell.direction], moved: { ports, bytes: MOVED_BYTES } });
		}
		await setTimeout(size.smoke ? 0 : REST_MS);
		for (const { page, kind, cell, values: own } of pages) {
			const { value } = await page.evaluate((a) => window.bench.first(a), { kind, direction: cell.direction, bytes: cell.bytes });
			own.push(value);
			await page.close();
		}
	}
	cells.forEach((cell, i) => report.add({ family, name: titleOf(cell), unit: 'ms', goal: GOAL, values: values[i] }));
}
