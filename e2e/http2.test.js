// examples/https-page: an HTTPS client in Go in the page, with HTTP/2, and an authority that the
// page names.

import assert from 'node:assert/strict';
import { createSecureServer } from 'node:http2';
import { test } from 'node:test';
import { makeCertificate } from './harness/certificate.js';
import { startExamples, wantProgram } from './harness/examples.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';

const { key, cert } = makeCertificate('intranet.test', [127, 0, 0, 1]);
/** @type {string[]} */
const asked = [];
let connections = 0;
const target = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
	asked.push(`${request.httpVersion} ${request.url}`);
	response.end(request.url === '/big' ? 'x'.repeat(8 << 20) : 'hello from the intranet');
});
target.on('secureConnection', () => { connections += 1; });
await new Promise((resolve) => { target.listen(0, '127.0.0.1', () => resolve(undefined)); });
const { port } = /** @type {import('node:net').AddressInfo} */ (target.address());

/** @type {Awaited<ReturnType<typeof startExamples>>} */
let pages;
/** @type {Awaited<ReturnType<typeof startSockmux>>} */
let sockmux;

const world = suite({
	async ready({ alsoStop }) {
		wantProgram('https-page');
		alsoStop({ stop: async () => void target.close() });
		alsoStop(pages = await startExamples());
		alsoStop(sockmux = await startSockmux(['--allow-origin', pages.origin, '--allow', `127.0.0.1:${port}`]));
	},
});

test('a Go program in the page speaks HTTP/2 over TLS, over one WebSocket', { timeout: 120_000 }, async () => {
	const page = await world.newPage();
	await page.goto(`${pages.url}https-page/?server=${encodeURIComponent(`${sockmux.origin}/`)}`);
	/** @param {string} path @param {string} authority @param {RegExp} wanted */
	const fetched = async (path, authority, wanted) => {
		await page.locator('#url').fill(`https://127.0.0.1:${port}${path}`);
		await page.locator('#authority').fill(authority);
		await page.getByRole('button', { name: 'Fetch' }).click();
		await page.locator('#out', { hasText: wanted }).waitFor();
		return page.locator('#out').textContent();
	};
	assert.equal(await fetched('/', cert, /hello/), 'HTTP/2.0 200 OK, TLS 1.3\n\nhello from the intranet');
	const big = await fetched('/big', cert, /x{100}/) ?? '';
	assert.equal(big.length, 'HTTP/2.0 200 OK, TLS 1.3\n\n'.length + (8 << 20));
	assert.deepEqual(asked, ['2.0 /', '2.0 /big']);
	assert.equal(connections, 1, 'both requests in one connection');

	const { cert: another } = makeCertificate('another.test', [127, 0, 0, 1]);
	assert.match(await fetched('/', another, /failed/) ?? '', /certificate/);
	assert.match(await fetched('/', 'none', /no certificate/) ?? '', /no certificate/);
	assert.equal(page.carriers.length, 1, 'one WebSocket');
	await page.context().close();
});
