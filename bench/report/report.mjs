// Makes the tables of docs/PERFORMANCE.md and the plots beside it from what the benchmarks left: `make bench-report`.
//
//   node bench/report/report.mjs [FILE.json...]

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, format, ratioOf } from '../browser/report.mjs';
import { bars } from './svg.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const page = join(root, 'docs/PERFORMANCE.md');
const images = join(root, 'docs/images');

/** What the page has between these two is this program's. */
const BEGIN = '<!-- figures: written by make bench-report -->';
const END = '<!-- end of figures -->';

/** Which families have a plot, its title, and whether more is better. */
const PLOTS = {
	bulk: { file: 'bench-bulk.svg', title: 'Chromium: bulk', better: 'more is better' },
	open: { file: 'bench-open.svg', title: 'Chromium: sockets opened at once', better: 'less is better', logarithmic: true },
	latency: { file: 'bench-latency.svg', title: 'Open and first echo', better: 'less is better' },
	'echo under bulk': { file: 'bench-load.svg', title: 'Echo while bulk fills 100 Mbit/s, RTT 20 ms', better: 'less is better', logarithmic: true, only: (m) => m.unit === 'ms' },
	webR: { file: 'bench-webr.svg', title: 'webR: what R sees', better: 'more is better' },
	'native bulk': { file: 'bench-native.svg', title: 'Native: bulk', better: 'more is better' },
	'native CPU': { file: 'bench-cpu.svg', title: 'Native: what a gigabyte costs the server', better: 'less is better' },
	'long line': { file: 'bench-long.svg', title: 'One stream at a round trip of 100 ms', better: 'more is better' },
};

const files = process.argv.length > 2 ? process.argv.slice(2) : ['browser', 'native'].map((name) => join(root, `bench/out/${name}.json`)).filter(existsSync);
if (files.length === 0) throw new Error('nothing to report: run make bench first');
const reports = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8'))));

const families = new Map();
for (const { measurements } of reports) {
	for (const m of measurements) families.set(m.family, [...(families.get(m.family) ?? []), m]);
}
await mkdir(images, { recursive: true });
const text = [];
for (const { title, facts } of reports) {
	text.push(`${title}${Object.entries(facts).map(([name, value]) => `; ${name}: ${value}`).join('')}.`, '');
}
for (const [family, measurements] of families) {
	text.push(`### ${family[0].toUpperCase()}${family.slice(1)}`, '', ...table(measurements), '');
	const plot = PLOTS[family];
	if (!plot) continue;
	const shown = measurements.filter(plot.only ?? (() => true));
	const svg = bars({ ...plot, groups: shown.map((m) => ({ name: `${m.name} (${m.unit})`, values: Object.fromEntries(Object.entries(m.values).map(([kind, v]) => [kind, median(v)])) })) });
	await writeFile(join(images, plot.file), svg);
	text.push(`![${plot.title}](images/${plot.file})`, '');
}
const before = await readFile(page, 'utf8');
const [head, rest] = before.split(BEGIN);
const tail = rest?.split(END)[1];
if (tail === undefined) throw new Error(`${page} lacks the lines ${BEGIN} and ${END}`);
await writeFile(page, `${head}${BEGIN}\n\n${text.join('\n')}${END}${tail}`);
console.log(`docs/PERFORMANCE.md: ${families.size} families`);

/** A Markdown table of one family: medians, and of sockmux the median of the ratios within each round. */
function table(measurements) {
	const kinds = [...new Set(measurements.flatMap((m) => Object.keys(m.values)))].sort((a, b) => Number(b === 'sockmux') - Number(a === 'sockmux'));
	const goals = measurements.some((m) => m.goal);
	const rows = measurements.map((m) => {
		const cells = kinds.map((kind) => {
			if (!m.values[kind]) return '';
			const value = format(median(m.values[kind]));
			const ratio = kind === 'sockmux' || !m.values.sockmux ? NaN : ratioOf(m.values.sockmux, m.values[kind]);
			return Number.isFinite(ratio) ? `${value} (${ratio.toFixed(2)}x)` : value;
		});
		return `| ${[`${m.name}, ${m.unit}`, ...cells, ...(goals ? [m.goal ?? ''] : [])].join(' | ')} |`;
	});
	const titles = ['', ...kinds, ...(goals ? ['goal'] : [])];
	return [`| ${titles.join(' | ')} |`, `|${titles.map(() => '---').join('|')}|`, ...rows];
}
