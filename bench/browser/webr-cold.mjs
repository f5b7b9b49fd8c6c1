// Real webR: the first transfer of an R that was never used, each in a new page.

import { alternate } from './alternate.mjs';
import { GOAL, startersOf, within } from './webr.mjs';

/** Megabytes. */
const SIZES = [1, 16];

/** Starting webR takes seconds. */
const MOST_ROUNDS = 3;

const LIMIT_MS = 60_000;

export async function webrCold(world, report, size) {
	const few = { rounds: Math.min(size.rounds, MOST_ROUNDS), warmups: 0 };
	const starters = await startersOf(world, report);
	for (const megabytes of size.smoke ? SIZES.slice(0, 1) : SIZES) {
		for (const [name, code] of [['down', `download(${world.ports.source}, ${megabytes}e6)`], ['up', `upload(${world.ports.sink}, ${megabytes}e6)`]]) {
			const values = await alternate(few, Object.keys(starters), async (kind) => {
				const page = await starters[kind]();
				try {
					return megabytes / await within(LIMIT_MS, page.evaluate((c) => window.evalR(c), code));
				} catch (error) {
					if (world.servers.has(kind)) throw error;
					report.fact(`webR cold, ${megabytes} MB ${name}, ${kind}`, `fails: ${error.message.split('\n')[0]}`);
					return 0;
				} finally {
					await page.close();
				}
			});
			report.add({ family: 'webR cold', name: `${megabytes} MB ${name}`, unit: 'MB/s', goal: GOAL, values });
		}
	}
}
