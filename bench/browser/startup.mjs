// From the script tag to the first open stream, beside an empty Go program and a native WebSocket;
// and the sizes of what is loaded.

import { get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { alternate } from './alternate.mjs';
import { HOST } from './place.mjs';
import { withProfile } from './world.mjs';

/** Chromium writes optimized code to its cache some time after it has compiled it. */
const CODE_CACHE_MS = 2000;

export async function startup(world, report, size) {
	const urls = {};
	for (const [kind, { script }] of world.servers) urls[kind] = `${world.origin}/startup.html?${new URLSearchParams({ script, port: world.ports.echo })}`;
	const rivals = world.kindsOf(['empty', 'native']);
	if (rivals.includes('empty')) urls.empty = `${world.origin}/startup.html`;
	if (rivals.includes('native')) urls.native = `${world.origin}/startup.html?${new URLSearchParams({ relay: `${HOST}:${world.ports.relay}`, port: world.ports.echo })}`;
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
		const values = (field, rival) => Object.fromEntries([...world.servers.keys(), rival].filter((kind) => urls[kind]).map((kind) => [kind, results[kind].map((result) => result[state][field])]));
		report.add({ family: 'start', name: `${state}, script tag to wasm running`, unit: 'ms', goal: '<= 1.15 x empty', values: values('ready', 'empty') });
		report.add({ family: 'start', name: `${state}, script tag to first stream open`, unit: 'ms', goal: '<= 1.0 x native', values: values('opened', 'native') });
	}
	await firstSocket(world, report, size);
}

/**
 * How many round trips the first socket of a fresh page costs: what a longer line adds to
 * the time.
 */
async function firstSocket(world, report, size) {
	const rtts = size.smoke ? [0, 20] : [0, 100];
	const lines = {};
	for (const [kind, { port }] of world.servers) for (const rtt of rtts) lines[`${kind} ${rtt}`] = { kind, port: await world.line(port, { rtt }) };
	const opened = await alternate(size, Object.keys(lines), async (name) => {
		const { kind, port } = lines[name];
		const context = await world.browser.newContext();
		const page = await context.newPage();
		const query = new URLSearchParams({ script: world.servers.get(kind).script, port: world.ports.echo, 'data-url': `http://127.0.0.1:${port}/` });
		await page.goto(`${world.origin}/startup.html?${query}`);
		const value = await page.waitFor(() => window.result);
		await context.close();
		return value.opened;
	});
	const [short, long] = rtts;
	const trips = (kind) => opened[`${kind} ${long}`].map((value, i) => (value - opened[`${kind} ${short}`][i]) / (long - short));
	report.add({
		family: 'start', name: 'first socket of a fresh page (TCP, upgrade, open: 3)', unit: 'round trips', goal: '<= 3.1',
		values: Object.fromEntries([...world.servers.keys()].map((kind) => [kind, trips(kind)])),
	});
}

/**
 * How many bytes a server sends for a file in a coding.
 * @param {URL} url
 * @param {string} coding
 * @returns {Promise<number>}
 */
function sent(url, coding) {
	return new Promise((resolve, reject) => {
		get(url, { headers: { 'Accept-Encoding': coding } }, async (response) => {
			let bytes = 0;
			for await (const chunk of response) bytes += chunk.length;
			const got = response.headers['content-encoding'] ?? 'identity';
			if (response.statusCode === 200 && got === coding) resolve(bytes);
			else reject(new Error(`${url}: status ${response.statusCode}, coding ${got}, want ${coding}`));
		}).on('error', reject);
	});
}

export async function sizes(world, report) {
	for (const [name, file, goal] of [['script', 'sockmux.js', 12], ['wasm', 'sockmux.wasm', 520]]) {
		for (const [how, coding] of [['raw', 'identity'], ['gzip', 'gzip'], ['brotli', 'br']]) {
			const values = {};
			for (const [kind, { script }] of world.servers) values[kind] = [await sent(new URL(file, script), coding) / 1000];
			report.add({ family: 'size', name: `${name}, ${how}`, unit: 'kB', goal: how === 'brotli' ? `<= ${goal} kB` : '', values });
		}
	}
	report.add({ family: 'size', name: 'empty Go program, brotli', unit: 'kB', values: { empty: [world.emptyBytes / 1000] } });
}
