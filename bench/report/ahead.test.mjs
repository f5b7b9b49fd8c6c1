import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { aheadText } from './ahead.mjs';
import { AHEAD, FIGURES, put, take } from './page.mjs';

const FIGURES_OF_TEST = `
#### Bulk

|  | sockmux | native | wisp | goal | met |
|---|---:|---:|---:|---|---|
| down, 1 socket, MB/s | 278 | 272 (1.02x) | 249 (1.07x) | \`>= 1.0 x native\` | yes |
| down, 10 sockets, MB/s | 282 | 397 (0.72x) | 257 (1.04x) | \`>= 1.0 x native\` | no |
| up, 10 sockets, MB/s | 306 | 540 (0.51x) | 232 (1.23x) |  |  |

#### Latency

|  | sockmux | direct | wisp |
|---|---:|---:|---:|
| open, ms | 4.55 | 1.00 (4.55x) | 1.66 (2.92x) |
| echo, ms | 4.55 |  | 4.50 (1.01x) |
`;

test('rows in which a rival is ahead', () => {
	assert.equal(aheadText(FIGURES_OF_TEST), '- Bulk, native: down, 10 sockets (1.39 times); up, 10 sockets (1.96 times).\n- Latency, wisp: open (2.92 times).');
});

test('no such row', () => assert.equal(aheadText(''), 'In no row.'));

test('docs/PERFORMANCE.md says what its tables say', async () => {
	const page = await readFile(new URL('../../docs/PERFORMANCE.md', import.meta.url), 'utf8');
	assert.equal(take(page, AHEAD).trim(), aheadText(take(page, FIGURES)));
});

test('a part of the page is replaced', () => {
	const page = `a\n${AHEAD.begin}\n\nold $& text\n${AHEAD.end}\nb\n`;
	assert.equal(put(page, AHEAD, 'new $& text\n'), `a\n${AHEAD.begin}\n\nnew $& text\n${AHEAD.end}\nb\n`);
	assert.throws(() => put('nothing', AHEAD, ''), { message: `the page lacks the lines ${AHEAD.begin} and ${AHEAD.end}` });
});
