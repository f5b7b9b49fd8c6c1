// A keystroke's round trip while bulk fills the line: 100 Mbit/s, FIFO, RTT 20 ms.

import { orderOf } from './alternate.mjs';
import { quantile } from './report.mjs';

const RATE = 12_500_000;
const PATH = { rtt: 20, rate: RATE };

/** What a WebSocket and the transport's headers leave of the line is not taken off: the line counts the bytes of TCP's payload. */
const LOADS = { '1 download': { down: 1 }, '8 downloads': { down: 8 }, '1 upload': { up: 1 } };

export async function load(world, report, size) {
	const seconds = size.smoke ? 0.5 : 6;
	const kinds = world.kindsOf(size.smoke ? ['sockmux'] : ['sockmux', 'native', 'wisp']);
	for (const [name, bulk] of Object.entries(LOADS)) {
		const [p50, p99, use] = [{}, {}, {}];
		for (let round = 0; round < size.rounds; round++) {
			for (const kind of orderOf(kinds, round)) {
				// Fresh pages: what a rival has left in its queues must not be the next one's.
				const page = await world.newPage({ kind, path: PATH });
				const { times, rate } = await page.evaluate((a) => window.bench.echo(a), {
					kind, seconds, warmup: size.smoke ? 0.2 : 3, port: world.ports.echo, pour: world.ports.pour, drain: world.ports.drain, ...bulk,
				});
				await page.close();
				(p50[kind] ??= []).push(quantile(times, 0.5));
				(p99[kind] ??= []).push(quantile(times, 0.99));
				(use[kind] ??= []).push((100 * rate * 1e6) / RATE);
			}
		}
		report.add({ family: 'echo under bulk', name: `${name}, p50`, unit: 'ms', goal: '<= 35 ms', values: p50 });
		report.add({ family: 'echo under bulk', name: `${name}, p99`, unit: 'ms', goal: '<= 62 ms', values: p99 });
		report.add({ family: 'echo under bulk', name: `${name}, line use`, unit: '%', goal: '>= 95 %', values: use });
	}
}
