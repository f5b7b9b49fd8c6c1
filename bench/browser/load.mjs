// A keystroke's round trip while bulk fills the line: 100 Mbit/s, FIFO, RTT 20 ms.

import { orderOf } from './alternate.mjs';
import { quantile } from './report.mjs';

const RATE = 12_500_000;
const PATH = { rtt: 20, rate: RATE };

/**
 * What a WebSocket and the transport's headers leave of the line is not taken off: the
 * line counts the bytes of TCP's payload.
 */
export const LOADS = { '1 download': { down: 1 }, '8 downloads': { down: 8 }, '1 upload': { up: 1 } };

export async function load(world, report, size) {
	const kinds = world.kindsOf(size.smoke ? ['sockmux'] : ['sockmux', 'native', 'wisp']);
	for (const [name, bulk] of Object.entries(LOADS)) {
		const { p50, p99, use } = await echoUnderBulk(world, kinds, size, bulk, size.smoke ? SMOKE : { seconds: 6, warmup: 3 });
		report.add({ family: 'echo under bulk', name: `${name}, p50`, unit: 'ms', goal: '<= 35 ms', values: p50 });
		report.add({ family: 'echo under bulk', name: `${name}, p99`, unit: 'ms', goal: '<= 62 ms', values: p99 });
		report.add({ family: 'echo under bulk', name: `${name}, line use`, unit: '%', goal: '>= 95 %', values: use });
	}
}

/** How long `make bench-smoke` takes for each. */
export const SMOKE = { seconds: 0.5, warmup: 0.2 };

/**
 * The echoes' quantiles and the share of the line that bulk uses, a value a round for each kind.
 * @param {{ down?: number, up?: number }} bulk  sockets
 * @param {{ seconds: number, warmup: number }} duration
 * @param {(page: any, measure: () => Promise<any>) => Promise<any>} [beside]  runs the measurement beside something else
 */
export async function echoUnderBulk(world, kinds, { rounds }, bulk, duration, beside = (_, measure) => measure()) {
	const [p50, p99, use] = [{}, {}, {}];
	for (let round = 0; round < rounds; round++) {
		for (const kind of orderOf(kinds, round)) {
			// Fresh pages: what a rival has left in its queues must not be the next one's.
			const page = await world.newPage({ kind, path: PATH });
			const { times, rate } = await beside(page, () => page.evaluate((a) => window.bench.echo(a), {
				kind, ...duration, port: world.ports.echo, pour: world.ports.pour, drain: world.ports.drain, ...bulk,
			}));
			await page.close();
			(p50[kind] ??= []).push(quantile(times, 0.5));
			(p99[kind] ??= []).push(quantile(times, 0.99));
			(use[kind] ??= []).push((100 * rate * 1e6) / RATE);
		}
	}
	return { p50, p99, use };
}
