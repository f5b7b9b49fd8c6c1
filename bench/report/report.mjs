// Makes the tables of docs/PERFORMANCE.md and the plots beside it from what the benchmarks left: `make bench-report`.
//
//   node bench/report/report.mjs [--page FILE] [FILE.json...]
//
// Of files that measured the same the last one counts, so that a family that was measured again replaces itself.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, format, ratioOf } from '../browser/report.mjs';
import { met } from './goal.mjs';
import { bars } from './svg.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options, positionals } = parseArgs({
	options: { page: { type: 'string', default: join(root, 'docs/PERFORMANCE.md') } }, // its pictures are in images/ beside it
	allowPositionals: true,
});
const images = join(dirname(options.page), 'images');

/** What the page has between these two is this program's. */
const BEGIN = '<!-- figures: written by make bench-report -->';
const END = '<!-- end of figures -->';

/** What is no rival. */
const OURS = ['sockmux', 'optimistic'];

const inMilliseconds = ({ unit }) => unit === 'ms';
const inMemory = ({ name }) => name.endsWith('heap and stacks');

/** The plot of a family: its title, whether more is better, and what of the family it shows. */
const PLOTS = {
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

/** Measurements of each family, each by what it measures. @type {Map<string, Map<string, import('../browser/report.mjs').Measurement>>} */
const families = new Map();
for (const m of reports.flatMap(({ measurements }) => measurements)) {
	if (!families.has(m.family)) families.set(m.family, new Map());
	families.get(m.family).set(`${m.name}, ${m.unit}`, m);
}
await mkdir(images, { recursive: true });
const text = [...new Set(reports.map(({ title, facts }) => `- ${title}${Object.entries(facts).map(([name, value]) => `; ${name}: ${value}`).join('')}`)), ''];
const missed = [];
let goals = 0;
for (const [family, byName] of families) {
	const measurements = [...byName.values()];
	for (const { name, goal, values } of measurements) {
		const reached = met(goal, values);
		if (reached !== undefined) goals++;
		if (reached === false) missed.push(`${family}: ${name}: ${goal}`);
	}
	text.push(`### ${family === 'webR' ? family : family[0].toUpperCase() + family.slice(1)}`, '', ...table(measurements), '');
	const plot = PLOTS[family];
	if (!plot) continue;
	const shown = measurements.filter(plot.only ?? (() => true));
	await rm(join(images, plot.file), { force: true });
	if (shown.length === 0) continue;
	await writeFile(join(images, plot.file), bars({ ...plot, groups: groupsOf(shown) }));
	text.push(`![${plot.title}](images/${plot.file})`, '');
}
const before = await readFile(options.page, 'utf8');
const [head, rest] = before.split(BEGIN);
const tail = rest?.split(END)[1];
if (tail === undefined) throw new Error(`${options.page} lacks the lines ${BEGIN} and ${END}`);
await writeFile(options.page, `${head}${BEGIN}\n\n${text.join('\n')}${END}${tail}`);
console.log(`${options.page}: ${families.size} families, ${goals - missed.length} of ${goals} goals met`);
for (const line of missed) console.log(`not met: ${line}`);

/** sockmux first, then its rivals in the order of their first appearance. */
function kindsOf(measurements) {
	const rank = (kind) => (OURS.includes(kind) ? OURS.indexOf(kind) : OURS.length);
	return [...new Set(measurements.flatMap((m) => Object.keys(m.values)))].sort((a, b) => rank(a) - rank(b));
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

/** A Markdown table of one family: medians, and of sockmux the median of the ratios within each round. */
function table(measurements) {
	const kinds = kindsOf(measurements);
	const withGoals = measurements.some((m) => m.goal);
	const rows = measurements.map((m) => {
		const cells = kinds.map((kind) => {
			if (!m.values[kind]) return '';
			const value = format(median(m.values[kind]));
			const ratio = OURS.includes(kind) || !m.values.sockmux ? NaN : ratioOf(m.values.sockmux, m.values[kind]);
			return Number.isFinite(ratio) ? `${value} (${ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(2)}x)` : value;
		});
		const reached = met(m.goal, m.values);
		const goal = withGoals ? [m.goal ? `\`${m.goal}\`` : '', reached === undefined ? '' : reached ? 'yes' : 'no'] : [];
		return `| ${[`${m.name}, ${m.unit}`, ...cells, ...goal].join(' | ')} |`;
	});
	const columns = ['', ...kinds, ...(withGoals ? ['goal', 'met'] : [])];
	const align = columns.map((_, i) => (i > 0 && i <= kinds.length ? '---:' : '---'));
	return [`| ${columns.join(' | ')} |`, `|${align.join('|')}|`, ...rows];
}
