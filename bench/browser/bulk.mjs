// Bulk over loopback, the tasks that it makes the page's thread wait for, and many sockets at once.

import { alternate, pick } from './alternate.mjs';

const KINDS = ['native', 'sockmux', 'wisp'];

export async function bulk(world, report, size) {
	const kinds = world.kindsOf(KINDS);
	const pages = await world.newPages(kinds);
	for (const direction of ['down', 'up']) {
		for (const streams of size.smoke ? [1, 10] : [1, 10, 100]) {
			const port = direction === 'down' ? world.ports.source : world.ports.sink;
			const results = await alternate(size, kinds, (kind) => pages[kind].evaluate((a) => window.bench.transfer(a), { kind, direction, streams, port, bytes: size.bytes }));
			const sockets = `${streams} ${streams === 1 ? 'socket' : 'sockets'}`;
			const goal = streams < 100 ? '>= 1.0 x native' : direction === 'down' ? '>= 1.4 x native' : '>= 1.0 x native';
			report.add({ family: 'bulk', name: `${direction}, ${sockets}`, unit: 'MB/s', goal, values: pick(results, 'value') });
			const longest = Object.fromEntries(Object.entries(results).map(([kind, rounds]) => [kind, rounds.map(({ long }) => Math.max(0, ...long))]));
			report.add({ family: 'long tasks', name: `${direction}, ${sockets}, longest over 50 ms`, unit: 'ms', goal: '<= 50 ms', values: longest });
		}
	}
	for (const page of Object.values(pages)) await page.close();
}

export async function open(world, report, size) {
	const kinds = world.kindsOf(KINDS);
	const pages = await world.newPages(kinds);
	const measure = (some, streams, rounds) => alternate({ ...size, rounds }, some, (kind) =>
		pages[kind].evaluate((a) => window.bench.open(a), { kind, streams, port: world.ports.echo }));
	for (const streams of size.smoke ? [1, 10] : [1, 100]) {
		report.add({ family: 'open', name: `${streams} at once`, unit: 'ms', goal: streams === 100 ? '<= 0.02 x native' : '', values: pick(await measure(kinds, streams, size.rounds), 'value') });
	}
	// Native takes a minute for this, and Chromium refuses more than 255 at once to one host.
	if (!size.smoke) report.add({ family: 'open', name: '1000 at once', unit: 'ms', goal: '< 300 ms', values: pick(await measure(kinds.filter((kind) => kind !== 'native'), 1000, size.rounds), 'value') });
	for (const page of Object.values(pages)) await page.close();
}
