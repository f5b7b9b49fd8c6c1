// The first transfer of a page that was never used: what people do is short and first.

import { alternate } from './alternate.mjs';
import { CELLS, choose, titleOf } from './cells.mjs';
import { setPath } from './place.mjs';

/** What `make bench-smoke` runs. */
const SMOKE = ['*/64KiB/6', '*/1MB/1'];

export async function cold(world, report, size) {
	await measureFresh(world, report, size, { family: 'cold', cells: choose(size.cells ?? (size.smoke ? SMOKE : ['*/*/*']), CELLS) });
}

/** The goal of every cell. */
export const GOAL = '<= 1.1 x native';

/**
 * A family of first transfers, each on a new page; over a path of real TCP if there is one, which
 * the page itself does not load over. `beside` runs a measurement beside something else.
 * @param {{ family: string, title?: string, cells: import('./cells.mjs').Cell[], path?: import('./place.mjs').Path, beside?: import('./busy.mjs').Beside }} what
 */
export async function measureFresh(world, report, size, { family, title = '', cells, path, beside = (_, measure) => measure() }) {
	const kinds = world.kindsOf(['native', 'sockmux', 'wisp']);
	for (const cell of cells) {
		const { direction, bytes, streams } = cell;
		const port = direction === 'down' ? world.ports.source : world.ports.sink;
		const values = await alternate(size, kinds, async (kind) => {
			if (path) await setPath({});
			const page = await world.newPage({ kind, fresh: true });
			if (path) await setPath(path);
			const { value } = await beside(page, () => page.evaluate((a) => window.bench.first(a), { kind, direction, streams, port, bytes }));
			await page.close();
			return value;
		});
		report.add({ family, name: title + titleOf(cell), unit: 'ms', goal: GOAL, values });
	}
}
