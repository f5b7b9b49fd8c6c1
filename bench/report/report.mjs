// Makes the tables of docs/PERFORMANCE.md and the plots beside it from what the
// benchmarks left: `make bench-report`.
//
//   node bench/report/report.mjs [--page FILE] [FILE.json...]
//
// Of files that measured the same the last one counts, so that a family that was measured
// again replaces itself.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../browser/report.mjs';
import { aheadText } from './ahead.mjs';
import { met } from './goal.mjs';
import { grouped, sideBySide } from './groups.mjs';
import { AHEAD, FIGURES, put } from './page.mjs';
import { bars } from './svg.mjs';
import { kindsOf, table } from './table.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options, positionals } = parseArgs({
	options: { page: { type: 'string', default: join(root, 'docs/PERFORMANCE.md') } }, // its pictures are in images/ beside it
	allowPositionals: true,
});
const images = join(dirname(options.page), 'images');

const inMilliseconds = ({ unit }) => unit === 'ms';
const inMemory = ({ name }) => name.endsWith('heap and stacks');

/** The plot of a family: its title, whether more is better, and what of the family it shows. */
const PLOTS = {
	cold: { file: 'bench-cold.svg', title: 'Chromium: the first transfer of a page, one socket', better: 'less is better', logarithmic: true, only: ({ name }) => name.endsWith(', 1 socket') },
	bulk: { file: 'bench-bulk.svg', title: 'Chromium: bulk', better: 'more is better' },
	open: { file: 'bench-open.svg', title: 'Chromium: sockets opened at once', better: 'less is better', logarithmic: true },
	latency: { file: 'bench-latency.svg', title: 'Chromium: open and first echo', better: 'less is better' },
	'echo under bulk': { file: 'bench-load.svg', title: 'Chromium: echo while bulk fills 100 Mbit/s, RTT 20 ms', better: 'less is better', logarithmic: true, only: inMilliseconds },
	start: { file: 'bench-start.svg', title: 'Chromium: start', better: 'less is better', only: inMilliseconds },
	size: { file: 'bench-size.svg', title: 'What the page loads', better: 'less is better', only: ({ name }) => name.endsWith('brotli') },
	webR: { file: 'bench-webr.svg', title: 'webR: what R sees', better: 'more is better' },
	'native bulk': { file: 'bench-native.svg', title: 'Native: bulk', better: 'more is better' },
	'native CPU': { file: 'bench-cpu.svg', title: 'Native: what a gigabyte costs the server', better: 'less is better' },
	'native open': { file: 'bench-native-open.svg', title: 'Native: sockets a second', better: 'more is better' },
	'long line': { file: 'bench-long.svg', title: 'Native: one stream at a round trip of 100 ms', better: 'more is better' },
	'idle stream': { file: 'bench-idle.svg', title: 'Native: an idle stream', better: 'less is better', only: inMemory },
};

const files = positionals.length > 0 ? positionals : ['browser', 'native'].map((name) => join(root, `bench/out/${name}.json`)).filter(existsSync);
if (files.length === 0) throw new Error('nothing to report: run make bench first');
const reports = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))));

/**
 * Measurements of each family, each by what it measures.
 * @type {Map<string, Map<string, import('../browser/report.mjs').Measurement>>}
 */
const families = new Map();
for (const m of reports.flatMap(({ measurements }) => measurements)) {
	if (!families.has(m.family)) families.set(m.family, new Map());
	families.get(m.family).set(`${m.name}, ${m.unit}`, m);
}
await mkdir(images, { recursive: true });
sideBySide(families);
const text = [...new Set(reports.map(({ title, facts }) => `- ${title}${Object.entries(facts).map(([name, value]) => `; ${name}: ${value}`).join('')}`)), ''];
const missed = [];
let goals = 0;
for (const { title, members } of grouped([...families.keys()])) {
	text.push(`### ${title}`, '');
	for (const family of members) text.push(...await section(family, [...families.get(family).values()]));
}
const figures = text.join('\n');
const page = await readFile(options.page, 'utf8');
await writeFile(options.page, put(put(page, FIGURES, figures), AHEAD, aheadText(figures)));
console.log(`${options.page}: ${families.size} families, ${goals - missed.length} of ${goals} goals met`);
for (const line of missed) console.log(`not met: ${line}`);

/** The part of the page about one family. */
async function section(family, measurements) {
	for (const { name, goal, values } of measurements) {
		const reached = met(goal, values);
		if (reached !== undefined) goals++;
		if (reached === false) missed.push(`${family}: ${name}: ${goal}`);
	}
	const part = [`#### ${family.startsWith('webR') ? family : family[0].toUpperCase() + family.slice(1)}`, '', ...table(measurements), ''];
	const plot = PLOTS[family];
	if (!plot) return part;
	const shown = measurements.filter(plot.only ?? (() => true));
	await rm(join(images, plot.file), { force: true });
	if (shown.length === 0) return part;
	await writeFile(join(images, plot.file), bars({ ...plot, groups: groupsOf(shown) }));
	return [...part, `![${plot.title}](images/${plot.file})`, ''];
}

/** What a plot shows: medians. The unit is named once if it is the same for all. */
function groupsOf(measurements) {
	const kinds = kindsOf(measurements);
	const units = new Set(measurements.map(({ unit }) => unit));
	return measurements.map(({ name, unit, values }) => ({
		name: units.size === 1 ? name : `${name}, ${unit}`,
		unit: units.size === 1 ? unit : '',
		values: Object.fromEntries(kinds.filter((kind) => values[kind]).map((kind) => [kind, median(values[kind])])),
	}));
}
