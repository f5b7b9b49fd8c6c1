// Datagrams to a peer that sends each one back: one at a time, as games send them, more than two
// cores may carry, and more than the line carries. Wisp is the rival: a browser has no UDP of its own.

import { alternate } from './alternate.mjs';
import { quantile } from './report.mjs';

const KINDS = ['sockmux', 'wisp'];
const FAMILY = 'datagrams';

/** A bottleneck of 10 Mbit/s. */
const SLOW = { rtt: 20, rate: 1_250_000 };

/** What is sent in each flow. */
const FLOWS = [
	{ title: '1000/s of 200 bytes', size: 200, rate: 1000, answered: '>= 99 %', p99: '<= 1.1 x wisp' },
	{ title: '20000/s of 1000 bytes', size: 1000, rate: 20_000, perSecond: '>= 1.0 x wisp' },
	{ title: '2500/s of 1000 bytes over 10 Mbit/s, RTT 20 ms', size: 1000, rate: 2500, path: SLOW, perSecond: '>= 0.9 x wisp', p99: '<= 0.5 x wisp' },
];

export async function datagrams(world, report, size) {
	const kinds = world.kindsOf(KINDS);
	const port = world.ports.datagrams;
	/** Gives pages of each kind to a measurement, a fresh one each time: what a rival has left in its queues must not be the next one's. */
	const fresh = (path, measure) => alternate({ ...size, warmups: 0 }, kinds, async (kind) => {
		const page = await world.newPage({ kind, path });
		const result = await measure(page, kind);
		await page.close();
		return result;
	});
	const trips = await fresh(undefined, (page, kind) => page.evaluate((a) => window.bench.datagramRoundTrips(a), { kind, port, size: 64, rounds: size.smoke ? 20 : 1000 }));
	for (const [name, q] of [['p50', 0.5], ['p99', 0.99]]) {
		report.add({ family: FAMILY, name: `one at a time, 64 bytes, ${name}`, unit: 'ms', goal: '<= 1.1 x wisp', values: each(trips, ({ times }) => quantile(times, q)) });
	}
	for (const { title, path, perSecond = '', answered = '', p99 = '', ...flow } of FLOWS) {
		const results = await fresh(path, (page, kind) => page.evaluate((a) => window.bench.datagramFlow(a), { kind, port, ...flow, seconds: size.smoke ? 0.5 : 4 }));
		report.add({ family: FAMILY, name: `${title}, answers a second`, unit: 'datagrams/s', goal: perSecond, values: each(results, (result) => result.perSecond) });
		report.add({ family: FAMILY, name: `${title}, answered at last`, unit: '%', goal: answered, values: each(results, (result) => result.answered) });
		report.add({ family: FAMILY, name: `${title}, round trip p50`, unit: 'ms', values: each(results, ({ times }) => quantile(times, 0.5)) });
		report.add({ family: FAMILY, name: `${title}, round trip p99`, unit: 'ms', goal: p99, values: each(results, ({ times }) => quantile(times, 0.99)) });
	}
}

/** The same with a figure of each result. */
const each = (results, figure) => Object.fromEntries(Object.entries(results).map(([kind, rounds]) => [kind, rounds.map(figure)]));
