// Opening a socket and its first echo over a session that lives, at several round trips;
// and the first socket of a fresh page.

import { alternate, pick } from './alternate.mjs';

export async function latency(world, report, size) {
	for (const rtt of size.smoke ? [20] : [0, 20, 100]) {
		const path = { rtt };
		const pages = await world.newPages(world.kindsOf(['native', 'sockmux', 'wisp']), { path });
		for (const kind of world.servers.keys()) pages[optimisticOf(kind)] = await world.newPage({ kind, path, attributes: { optimistic: 'true' } });
		const repeat = size.smoke ? 1 : 5;
		const results = await alternate({ ...size, rounds: size.rounds * repeat }, Object.keys(pages), (kind) =>
			pages[kind].evaluate((a) => window.bench.firstEcho(a), { kind, port: world.ports.echo }));
		report.add({ family: 'latency', name: `open and first echo, RTT ${rtt} ms`, unit: 'ms', goal: rtt ? `<= ${+(2.05 * rtt).toFixed(1)} ms, optimistic <= ${+(1.05 * rtt).toFixed(1)} ms` : '', values: pick(results, 'value') });
		for (const page of Object.values(pages)) await page.close();
	}
}

/**
 * How the rounds of a sockmux that does not wait for the server's answer are called.
 * @param {string} kind
 */
const optimisticOf = (kind) => (kind === 'sockmux' ? 'optimistic' : `${kind}, optimistic`);
