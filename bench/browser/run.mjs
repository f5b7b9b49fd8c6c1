// Runs the browser benchmark: `make bench-browser`. Every round measures each rival in
// turn; docs/PERFORMANCE.md says how to read the figures.
//
//   node bench/browser/run.mjs [--rounds N] [--megabytes N] [--quick] [--smoke] [--only FAMILY,...] [--base TREE] [--rivals KIND,...] [--cells CELL,...] [--lines LINE,...] [--states fresh,idle] [--out FILE]
//
// --base measures a second built tree as the rival "base". --rivals names the other
// rivals to measure, "" none. --cells names cells of the families cold and warm, such as
// down/1MB/1 or */1MB/*, and beginnings of the rows of webr, such as readBin.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { families } from './families.mjs';
import { measureAtFarEnd } from './far.mjs';
import { atFarEnd } from './place.mjs';
import { Report } from './report.mjs';
import { startWorld, stop } from './world.mjs';

const { values: options } = parseArgs({
	options: {
		rounds: { type: 'string' },
		megabytes: { type: 'string' },
		quick: { type: 'boolean', default: false }, // one round of everything
		smoke: { type: 'boolean', default: false }, // that everything works, in seconds
		only: { type: 'string' },
		base: { type: 'string' },
		rivals: { type: 'string' },
		cells: { type: 'string' },
		lines: { type: 'string' },
		states: { type: 'string', default: 'fresh,idle' },
		out: { type: 'string', default: 'bench/out/browser.json' },
	},
});
const quick = options.quick || options.smoke;
const size = {
	smoke: options.smoke,
	cells: options.cells?.split(','),
	lines: options.lines?.split(','),
	states: options.states.split(','),
	rounds: Number(options.rounds ?? (quick ? 1 : 5)),
	warmups: quick ? 0 : 1,
	bytes: Number(options.megabytes ?? (options.smoke ? 2 : quick ? 16 : 64)) * 1e6,
};
// webR takes long to start and has tests of its own (e2e).
const wanted = options.only?.split(',') ?? Object.keys(families).filter((name) => !(options.smoke && name.startsWith('webr')));
for (const name of wanted) if (!families[name]) throw new Error(`--only ${name}: there is ${Object.keys(families).join(', ')}`);

const report = new Report(`Chromium, ${size.rounds} rounds`);
const start = async () => {
	const started = await startWorld({ smoke: size.smoke, base: options.base && resolve(options.base), rivals: options.rivals?.split(',').map((rival) => rival.trim()) });
	report.fact('browser', started.browser.version());
	return started;
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop().finally(() => process.exit(1)));
try {
	let world;
	for (const name of wanted) {
		if (name === 'lines' && !atFarEnd) await measureAtFarEnd(report, name, Boolean(options.only));
		else await families[name](world ??= await start(), report, size);
		await report.write(options.out); // what was measured stays if a later family fails
	}
} finally {
	await stop();
}
