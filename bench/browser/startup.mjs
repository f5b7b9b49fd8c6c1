// From the script tag to the first open stream, beside an empty Go program; and the sizes of what is loaded.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { alternate } from './alternate.mjs';
import { root, withProfile } from './world.mjs';

/** Chromium writes optimised code to its cache some time after it has compiled it. */
const CODE_CACHE_MS = 2000;

export async function startup(world, report, size) {
	const query = new URLSearchParams({ script: world.script, port: world.ports.echo });
	const urls = { empty: `${world.origin}/startup.html`, sockmux: `${world.origin}/startup.html?${query}` };
	const take = async (context, kind) => {
		const page = await context.newPage();
		await page.goto(urls[kind]);
		const value = await page.waitFor(() => window.result);
		await page.close();
		return value;
	};
	const results = await alternate(size, Object.keys(urls), (kind) => withProfile(async (context) => {
		const cold = await take(context, kind);
		await take(context, kind); // the browser keeps compiled code at the second load
		await setTimeout(size.smoke ? 0 : CODE_CACHE_MS);
		return { cold, cached: await take(context, kind) };
	}));
	for (const state of ['cold', 'cached']) {
		const values = (kind, field) => results[kind].map((result) => result[state][field]);
		report.add({ family: 'start', name: `${state}, script tag to wasm running`, unit: 'ms', goal: '<= 1.2 x empty', values: { sockmux: values('sockmux', 'ready'), empty: values('empty', 'ready') } });
		report.add({ family: 'start', name: `${state}, script tag to first stream open`, unit: 'ms', values: { sockmux: values('sockmux', 'opened') } });
	}
	await firstSocket(world, report, size);
}

/** How many round trips the first socket of a fresh page costs: what a longer line adds to the time. */
async function firstSocket(world, report, size) {
	const rtts = size.smoke ? [0, 20] : [0, 100];
	const ports = await Promise.all(rtts.map((rtt) => world.line(world.server.port, { rtt })));
	const opened = await alternate(size, rtts.map(String), async (rtt) => {
		const context = await world.browser.newContext();
		const page = await context.newPage();
		const query = new URLSearchParams({ script: world.script, port: world.ports.echo, 'data-url': `http://127.0.0.1:${ports[rtts.indexOf(Number(rtt))]}/` });
		await page.goto(`${world.origin}/startup.html?${query}`);
		const value = await page.waitFor(() => window.result);
		await context.close();
		return value.opened;
	});
	const [, long] = rtts;
	const trips = opened[long].map((value, i) => (value - opened[rtts[0]][i]) / long);
	report.add({ family: 'start', name: 'first socket of a fresh page (TCP, upgrade, open: 3)', unit: 'round trips', goal: '<= 3.1', values: { sockmux: trips } });
}

export async function sizes(world, report) {
	const dist = join(root, 'server/assets/dist'); // compressed as the server sends them
	for (const [name, file, goal] of [['script', 'sockmux.js', 12], ['wasm', 'sockmux.wasm', 620]]) {
		for (const [how, suffix] of [['raw', ''], ['gzip', '.gz'], ['brotli', '.br']]) {
			const { size } = await stat(join(dist, file + suffix));
			report.add({ family: 'size', name: `${name}, ${how}`, unit: 'kB', goal: how === 'brotli' ? `<= ${goal} kB` : '', values: { sockmux: [size / 1000] } });
		}
	}
	report.add({ family: 'size', name: 'empty Go program, brotli', unit: 'kB', values: { empty: [world.emptyBytes / 1000] } });
}
