// A machine that has something else to do: two loops beside the browser, or a script that computes
// in a worker of the page, as R does. A processor's delay is not a queue.

import { once } from 'node:events';
import { alternate, pick } from './alternate.mjs';
import { choose } from './cells.mjs';
import { measureFresh } from './cold.mjs';
import { echoUnderBulk, LOADS, SMOKE } from './load.mjs';
import { run } from './world.mjs';

/** Of each measurement: what is busy makes rounds differ, so their ratios count. */
const MOST_ROUNDS = 3;

const BULK_BYTES = 16e6;

/** No loop runs longer, whatever becomes of the benchmark. */
const LONGEST_MS = 900_000;

/** @typedef {(page: any, measure: () => Promise<any>) => Promise<any>} Beside  runs a measurement of a page beside the load */

export async function busy(world, report, size) {
	const few = { ...size, rounds: Math.min(size.rounds, MOST_ROUNDS), warmups: 0 };
	const loops = [0, 1].map(() => run(process.execPath, ['-e', `const end = Date.now() + ${LONGEST_MS}; while (Date.now() < end);`], { stdio: 'ignore' }));
	try {
		await measure(world, report, few, 'busy, two loops', (_, measured) => measured());
	} finally {
		for (const loop of loops) {
			const ended = once(loop, 'exit');
			if (loop.kill('SIGKILL')) await ended;
		}
	}
	await measure(world, report, few, 'busy, a worker', async (page, measured) => {
		await page.evaluate((ms) => window.bench.compute(ms), LONGEST_MS);
		try {
			return await measured();
		} finally {
			await page.evaluate(() => window.bench.compute(0));
		}
	});
}

/** @param {string} family @param {Beside} beside */
async function measure(world, report, size, family, beside) {
	await bulk(world, report, size, family, beside);
	await measureFresh(world, report, size, { family, title: 'cold, ', cells: choose([size.smoke ? 'down/1MB/1' : '*/1MB/1']), beside });
	const kinds = world.kindsOf(['native']); // wisp's echo waits behind seconds of bulk on any machine
	for (const [name, load] of Object.entries(size.smoke ? { '1 download': LOADS['1 download'] } : LOADS)) {
		const { p50, p99, use } = await echoUnderBulk(world, kinds, size, load, size.smoke ? SMOKE : { seconds: 4, warmup: 2 }, beside);
		report.add({ family, name: `echo under ${name}, p50`, unit: 'ms', values: p50 });
		report.add({ family, name: `echo under ${name}, p99`, unit: 'ms', goal: '<= 1.0 x native', values: p99 });
		report.add({ family, name: `echo under ${name}, line use`, unit: '%', goal: '>= 95 %', values: use });
	}
}

/** Bulk over one socket of pages that are warm. */
async function bulk(world, report, size, family, beside) {
	const kinds = world.kindsOf(['native', 'wisp']);
	const pages = await world.newPages(kinds);
	for (const direction of ['down', 'up']) {
		const job = { direction, streams: 1, port: direction === 'down' ? world.ports.source : world.ports.sink, bytes: size.smoke ? 1e6 : BULK_BYTES };
		const results = await alternate({ ...size, warmups: size.smoke ? 0 : 1 }, kinds, (kind) =>
			beside(pages[kind], () => pages[kind].evaluate((a) => window.bench.transfer(a), { kind, ...job })));
		report.add({ family, name: `bulk ${direction}, 1 socket`, unit: 'MB/s', goal: '>= 0.9 x native', values: pick(results, 'value') });
	}
	for (const page of Object.values(pages)) await page.close();
}
