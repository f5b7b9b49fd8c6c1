// The first transfer of a page that was never used: what people do is short and first.

import { alternate } from './alternate.mjs';
import { CELLS, choose, titleOf } from './cells.mjs';

/** What `make bench-smoke` runs. */
const SMOKE = ['*/64KiB/6', '*/1MB/1'];

export async function cold(world, report, size) {
	const cells = choose(size.cells ?? (size.smoke ? SMOKE : ['*/*/*']), CELLS);
	const kinds = world.kindsOf(['native', 'sockmux', 'wisp']);
	for (const cell of cells) {
		const { direction, bytes, streams } = cell;
		const port = direction === 'down' ? world.ports.source : world.ports.sink;
		const values = await alternate(size, kinds, async (kind) => {
			const page = await world.newPage({ kind, fresh: true });
			const { value } = await page.evaluate((a) => window.bench.first(a), { kind, direction, streams, port, bytes });
			await page.close();
			return value;
		});
		report.add({ family: 'cold', name: titleOf(cell), unit: 'ms', goal: '<= 1.1 x native', values });
	}
}
