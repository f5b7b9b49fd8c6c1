// Where the browser's time goes during bulk: `make bench-profile`. For each rival the CPU
// seconds of each of Chromium's processes for a gigabyte, and for sockmux the page's own
// thread by function and the server's pprof profile, in bench/out.
//
//   node bench/browser/profile.mjs [--megabytes N] [--streams N]

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './place.mjs';
import { startWorld, stop } from './world.mjs';

const { values: options } = parseArgs({ options: { megabytes: { type: 'string', default: '200' }, streams: { type: 'string', default: '1' } } });
const bytes = Number(options.megabytes) * 1e6;
const streams = Number(options.streams);
const out = join(root, 'bench/out');

/** How many functions are listed. */
const LISTED = 30;

try {
	await mkdir(out, { recursive: true });
	const world = await startWorld();
	const cpu = async () => {
		const { processInfo } = await world.browser.send('SystemInfo.getProcessInfo');
		const sums = {};
		for (const { type, cpuTime } of processInfo) sums[type] = (sums[type] ?? 0) + cpuTime;
		const { CPU } = await (await fetch(`${world.server.hook}/stats`)).json();
		return { ...sums, 'sockmux server': CPU / 1e9 };
	};
	for (const direction of ['down', 'up']) {
		for (const kind of ['native', 'sockmux', 'wisp']) {
			const named = kind === 'sockmux' ? { wasm: `${world.origin}/named.wasm` } : {}; // the product's wasm with the names of its functions
			const page = await world.newPage({ kind, attributes: named });
			const job = { kind, direction, streams, port: direction === 'down' ? world.ports.source : world.ports.sink, bytes };
			await page.evaluate((a) => window.bench.transfer(a), { ...job, bytes: bytes / 4 });
			const before = await cpu();
			const figures = () => page.evaluate((k) => (k === 'sockmux' ? window.sockmux.stats() : {}), kind);
			const statsBefore = await figures();
			const { value } = await page.evaluate((a) => window.bench.transfer(a), job);
			const after = await cpu();
			const spent = Object.keys(after).map((name) => [name, ((after[name] - (before[name] ?? 0)) / bytes) * 1e9]).filter(([, s]) => s > 0.2);
			console.log(`\n## ${direction}, ${streams} sockets, ${kind}: ${value.toFixed(1)} MB/s\n\nCPU seconds a GB: ${spent.map(([name, s]) => `${name} ${s.toFixed(1)}`).join(', ')}`);

			if (kind === 'sockmux') {
				const statsAfter = await figures();
				const [received, sent] = ['messagesIn', 'messagesOut'].map((name) => statsAfter[name] - statsBefore[name]);
				console.log(`WebSocket messages: ${received} in, ${sent} out: ${((received / bytes) * 1e6).toFixed(1)} and ${((sent / bytes) * 1e6).toFixed(1)} a MB; RTT ${statsAfter.rttMs} ms`);
			}
			await page.send('Profiler.enable');
			await page.send('Profiler.setSamplingInterval', { interval: 200 });
			await page.send('Profiler.start');
			const serverProfile = kind === 'sockmux' ? fetch(`${world.server.hook}/profile?seconds=4`).then((r) => r.arrayBuffer()) : null;
			await page.evaluate((a) => window.bench.transfer(a), job);
			const { profile } = await page.send('Profiler.stop');
			await writeFile(join(out, `${kind}-${direction}-${streams}.cpuprofile`), JSON.stringify(profile)); // for Chromium's own tools
			if (serverProfile) await writeFile(join(out, `server-${direction}-${streams}.pprof`), Buffer.from(await serverProfile));
			print(profile);
			await page.close();
		}
	}
} finally {
	await stop();
}

function print(profile) {
	const self = new Map();
	const byId = new Map(profile.nodes.map((node) => [node.id, node]));
	const places = new Map();
	let total = 0;
	profile.samples.forEach((id, i) => {
		const { callFrame } = byId.get(id);
		const name = `${callFrame.functionName || '(anonymous)'} ${callFrame.url.split('/').pop().split('?')[0]}${callFrame.url ? `:${callFrame.lineNumber + 1}:${callFrame.columnNumber + 1}` : ''}`;
		self.set(name, (self.get(name) ?? 0) + profile.timeDeltas[i]);
		const place = callFrame.url.startsWith('http') || callFrame.url.startsWith('wasm') ? callFrame.url.split('/').pop().split('?')[0] : `${callFrame.functionName.startsWith('(') ? callFrame.functionName : 'the browser\'s functions'}`;
		places.set(place, (places.get(place) ?? 0) + profile.timeDeltas[i]);
		total += profile.timeDeltas[i];
	});
	const share = (time) => `${((100 * time) / total).toFixed(1)} %`;
	console.log(`\nThe page's thread: ${[...places].sort(([, a], [, b]) => b - a).map(([place, time]) => `${place} ${share(time)}`).join(', ')}`);
	console.log('\n| self % | function |\n|---|---|');
	for (const [name, time] of [...self].sort(([, a], [, b]) => b - a).slice(0, LISTED)) {
		if (time > total / 200) console.log(`| ${((100 * time) / total).toFixed(1)} | ${name} |`);
	}
}
