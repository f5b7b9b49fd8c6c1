// The pages of examples/, served as their README says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startExamples } from './harness/examples.js';
import { freePort } from './harness/ports.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';

const world = suite();

test('the pages of the examples do what they say', async () => {
	const pages = await startExamples();
	world.alsoStop(pages);
	const sockmux = await startSockmux(['--demo', '--allow-origin', pages.origin]);
	world.alsoStop(sockmux);
	const page = await world.newPage();
	const open = async (/** @type {string} */ name, /** @type {RegExp} */ wanted) => {
		await page.goto(`${pages.url}${name}/?server=${encodeURIComponent(`${sockmux.origin}/`)}`);
		const out = page.locator('#out', { hasText: wanted });
		await out.waitFor();
		return out.textContent();
	};
	assert.match(await open('webr', /MIT/) ?? '', /real TCP sockets/);
	const text = await open('connect', /denied/) ?? '';
	assert.match(text, /connected to 127\.0\.0\.1 port \d+/);
	assert.match(text, /200 OK/);
	assert.match(text, /^refused: /m);
	assert.equal(await page.locator('#state').textContent(), 'open');
});

test('a web server in R answers curl: pages, plots, JSON, a form, HEAD, what is wrong', async () => {
	const run = promisify(execFile);
	const pages = await startExamples();
	world.alsoStop(pages);
	const port = await freePort();
	const sockmux = await startSockmux(['--demo', '--allow-origin', pages.origin, '--allow-listen', `127.0.0.1:${port}`]);
	world.alsoStop(sockmux);
	const page = await world.newPage();
	const url = `${pages.url}r-server/?server=${encodeURIComponent(`${sockmux.origin}/`)}`;
	await page.goto(`${url}&port=${port}`);
	await page.locator('#state.on').waitFor();
	/** Status, type, length that was said, and body. @param {string} path @param {string[]} args */
	const curl = async (path, ...args) => {
		const { stdout } = await run('curl', ['-sS', '-i', '--max-time', '60', ...args, `http://127.0.0.1:${port}${path}`], { encoding: 'latin1', maxBuffer: 1e7 });
		const [head, ...rest] = stdout.split('\r\n\r\n');
		const body = rest.join('\r\n\r\n');
		const field = (/** @type {string} */ name) => new RegExp(`^${name}: (.*)$`, 'mi').exec(head.replaceAll('\r', ''))?.[1];
		if (args[0] !== '-I') assert.equal(Number(field('content-length')), body.length, path);
		return { status: Number(head.split(' ')[1]), type: field('content-type'), length: Number(field('content-length')), allow: field('allow'), body };
	};
	const first = await curl('/');
	assert.deepEqual([first.status, first.type], [200, 'text/html; charset=utf-8']);
	assert.match(first.body, /Hello from R in a browser.*R version 4.* has served 1 requests/);
	const head = await curl('/', '-I');
	assert.deepEqual([head.status, head.type, head.body], [200, 'text/html; charset=utf-8', '']);
	assert.equal(head.length, first.length);
	const svg = await curl('/plot.svg?n=100');
	assert.deepEqual([svg.status, svg.type], [200, 'image/svg+xml']);
	assert.match(svg.body, /^<\?xml[^]*<\/svg>\s*$/);
	const png = await curl('/plot.png?n=2000');
	assert.deepEqual([png.status, png.type, png.body.slice(1, 4), png.body.slice(-8, -4)], [200, 'image/png', 'PNG', 'IEND']);
	const summary = await curl('/summary.json?n=100');
	assert.equal(summary.type, 'application/json');
	assert.deepEqual(Object.keys(JSON.parse(summary.body)), ['Min.', '1st Qu.', 'Median', 'Mean', '3rd Qu.', 'Max.']);
	assert.match((await curl('/mean', '-d', 'x=1+2%203,10')).body, /<h1>4<\/h1><p>is the mean of 1, 2, 3, 10\./);
	const wrong = await Promise.all([curl('/mean', '-d', 'x=<b>'), curl('/mean'), curl('/none'), curl('/mean', '-d', '')]);
	assert.deepEqual(wrong.map(({ status, allow }) => [status, allow]), [[400, undefined], [405, 'POST'], [404, undefined], [400, undefined]]);
	const many = await Promise.all(Array.from({ length: 8 }, (_, i) => curl(`/?${i}`)));
	assert.deepEqual(many.map(({ status }) => status), Array(8).fill(200));
	await page.locator('#log', { hasText: /(GET[^]*){14}/ }).waitFor();
	const lines = (await page.locator('#log').textContent() ?? '').trim().split('\n');
	assert.deepEqual([lines[0], lines[1], lines.length], [`R listens on port ${port}`, 'GET / 200 OK', 19]);
	assert.deepEqual([page.carriers.length, page.lines.filter((line) => line.includes('sockmux'))], [1, []]);

	// What the operator does not allow is told in the page.
	await page.goto(`${url}&port=81`);
	await page.locator('#state.off').waitFor();
	assert.match(await page.locator('#log').textContent() ?? '', /denied: listening on .*:81 /);
	await page.context().close();
});
