// The transfers of the family "cold" on pages that have moved much before: windows and
// memory have grown.

import { alternate } from './alternate.mjs';
import { CELLS, choose, titleOf } from './cells.mjs';

/** What lets them grow, in each direction. */
const GROWN_BYTES = 64e6;

export async function warm(world, report, size) {
	const cells = choose(size.cells ?? (size.smoke ? ['*/1MB/1'] : ['*/*/*']), CELLS);
	const kinds = world.kindsOf(['native', 'sockmux', 'wisp']);
	const pages = await world.newPages(kinds);
	const ports = { down: world.ports.source, up: world.ports.sink };
	for (const kind of kinds) {
		for (const [direction, port] of Object.entries(ports)) {
			await pages[kind].evaluate((a) => window.bench.transfer(a), { kind, direction, streams: 1, port, bytes: size.smoke ? 1e6 : GROWN_BYTES });
		}
	}
	for (const cell of cells) {
		const { direction, bytes, streams } = cell;
		const values = await alternate(size, kinds, async (kind) => {
			const { value } = await pages[kind].evaluate((a) => window.bench.first(a), { kind, direction, streams, port: ports[direction], bytes });
			return value;
		});
		report.add({ family: 'warm', name: titleOf(cell), unit: 'ms', values });
	}
	for (const page of Object.values(pages)) await page.close();
}
