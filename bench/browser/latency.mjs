// Opening a socket and its first echo over a session that lives, at several round trips; and the first socket of a fresh page.

import { alternate, pick } from './alternate.mjs';

export async function latency(world, report, size) {
	for (const rtt of size.smoke ? [20] : [0, 20, 100]) {
		const path = { rtt };
		const pages = {
			native: await world.newPage({ path, kinds: ['native'] }),
			sockmux: await world.newPage({ path, kinds: ['sockmux'] }),
			optimistic: await world.newPage({ path, kinds: ['sockmux'], attributes: { optimistic: 'true' } }),
			wisp: await world.newPage({ path, kinds: ['wisp'] }),
		};
		const repeat = size.smoke ? 1 : 5;
		const results = await alternate({ ...size, rounds: size.rounds * repeat }, Object.keys(pages), (kind) =>
			pages[kind].evaluate((a) => window.bench.firstEcho(a), { kind: kind === 'optimistic' ? 'sockmux' : kind, port: world.ports.echo }));
		report.add({ family: 'latency', name: `open and first echo, RTT ${rtt} ms`, unit: 'ms', goal: rtt ? `<= ${+(2.05 * rtt).toFixed(1)} ms, optimistic <= ${+(1.05 * rtt).toFixed(1)} ms` : '', values: pick(results, 'value') });
		for (const page of Object.values(pages)) await page.close();
	}
}
