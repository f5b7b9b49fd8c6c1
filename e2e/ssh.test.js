// The SSH terminal of examples/ssh-terminal: a Go program in the page, against OpenSSH's server and
// one that asks for a password.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startExamples, startPasswordServer, startSshd, wantProgram, withoutSshd } from './harness/examples.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const folder = mkdtempSync(join(tmpdir(), 'sockmux-ssh-'));
const skip = withoutSshd();
/** @type {Awaited<ReturnType<typeof startExamples>>} */
let pages;
/** @type {Awaited<ReturnType<typeof startSockmux>>} */
let sockmux;
/** @type {Awaited<ReturnType<typeof startSshd>>} */
let sshd;
/** @type {Awaited<ReturnType<typeof startPasswordServer>>} */
let withPassword;

const world = suite({
	async ready({ alsoStop, targets }) {
		wantProgram('ssh-terminal');
		alsoStop({ stop: async () => rmSync(folder, { recursive: true }) });
		alsoStop(pages = await startExamples());
		alsoStop(withPassword = await startPasswordServer(folder));
		if (!skip) alsoStop(sshd = await startSshd(folder));
		const allowed = [withPassword.port, sshd?.port, targets.ports.line, targets.ports.silent, targets.ports.refused].filter(Boolean);
		alsoStop(sockmux = await startSockmux(['--allow-origin', pages.origin, ...allowed.flatMap((port) => ['--allow', `127.0.0.1:${port}`])]));
	},
});

/** A key of the user's. @param {string} name */
const key = (name) => readFileSync(join(folder, name), 'utf8');

/**
 * Opens the page with its form filled.
 * @param {{ port: number, user: string, password?: string, key?: string, passphrase?: string }} login
 */
async function open({ port, user, ...secrets }) {
	const page = await world.newPage({ viewport: { width: 1000, height: 640 } });
	await page.goto(`${pages.url}ssh-terminal/?server=${encodeURIComponent(`${sockmux.origin}/`)}&host=127.0.0.1&port=${port}&user=${user}&timeout=5`);
	if (secrets.key) await page.getByText('Private key').first().click();
	for (const [name, value] of Object.entries(secrets)) await page.locator(`[name=${name}]`).fill(value);
	await page.locator('#connect').click();
	return page;
}

/** @typedef {Awaited<ReturnType<typeof open>>} Tab */

/** Trusts the host. Returns the fingerprint that was shown. @param {Tab} page */
async function trust(page) {
	await page.locator('#trust').click();
	return page.locator('#host-key-fingerprint').textContent();
}

/** @param {Tab} page */
const screen = async (page) => (await page.locator('.xterm-rows').innerText()).replaceAll('\u00a0', ' ');

/**
 * Waits until the screen shows a text.
 * @param {Tab} page
 * @param {RegExp} wanted
 * @returns {Promise<RegExpExecArray>}
 */
async function shown(page, wanted) {
	try {
		return await until(async () => wanted.exec(await screen(page)), `${wanted} on the screen`, 30_000);
	} catch (error) {
		throw new Error(`${/** @type {Error} */ (error).message}:\n${await screen(page)}`, { cause: error });
	}
}

/** @param {Tab} page @param {string} line */
async function type(page, line) {
	await page.keyboard.type(line);
	await page.keyboard.press('Enter');
}

/** What the page complains of. @param {Tab} page */
async function complaint(page) {
	await page.locator('#notice').waitFor();
	return page.locator('#notice').textContent();
}

/** Waits for the end of the shell. @param {Tab} page */
async function ended(page) {
	await page.locator('#ended').waitFor();
	return page.locator('#ended-text').textContent();
}

test('a shell of OpenSSH: size, colors, a full screen, much output, exit status', { skip, timeout: 120_000 }, async () => {
	const page = await open({ port: sshd.port, user: sshd.user, key: key('user') });
	assert.equal(await trust(page), sshd.fingerprint);
	await shown(page, /[$#%>]\s*$/); // of a shell that reads
	await type(page, "PS1='ready> '; stty size");
	const [, rows, cols] = await shown(page, /^(\d+) (\d+)\s*$/m);
	await page.setViewportSize({ width: 700, height: 420 });
	await until(async () => await page.locator('.xterm-rows > div').count() < Number(rows), 'a smaller screen');
	await type(page, 'echo now $(stty size)');
	const [, fewer, narrower] = await shown(page, /now (\d+) (\d+)/);
	assert.equal(Number(fewer), await page.locator('.xterm-rows > div').count());
	assert.ok(Number(narrower) < Number(cols), `${narrower} columns, ${cols} before`);

	await type(page, "clear; printf '\\033[31mscarlet\\033[0m \\342\\202\\254\\n'");
	await shown(page, /^scarlet \u20ac/m);
	assert.equal(await page.locator('.xterm-fg-1', { hasText: 'scarlet' }).count(), 1);

	const lines = 50_000;
	writeFileSync(join(folder, 'big'), Array.from({ length: lines }, (_, i) => `line ${i} ${'x'.repeat(40)}\n`).join(''));
	await type(page, `cat ${folder}/big; echo "the $((2 - 1))st end"`);
	await shown(page, /the 1st end/);
	assert.match(await screen(page), new RegExp(`line ${lines - 1} x+`));

	await type(page, `less ${folder}/big`);
	await shown(page, /^line 0 x+/);
	await page.keyboard.type('G');
	await shown(page, new RegExp(`line ${lines - 1} x+`));
	await page.keyboard.type('q');
	await shown(page, /the 1st end/);

	await type(page, 'exit 7');
	assert.equal(await ended(page), 'The shell has ended with exit status 7.');
	assert.equal(page.carriers.length, 1, 'one WebSocket');
	await page.context().close();
});

test('a key with a passphrase, and a host that is known', { skip, timeout: 120_000 }, async () => {
	const page = await open({ port: sshd.port, user: sshd.user, key: key('locked') });
	assert.match(await complaint(page) ?? '', /passphrase/);
	await page.locator('[name=passphrase]').fill('secret');
	await page.locator('#connect').click();
	await trust(page);
	await page.locator('#terminal').waitFor();
	await page.locator('#disconnect').click();
	await ended(page);
	await page.locator('#again').click();

	// Now the page knows the host.
	await page.locator('#connect').click();
	await page.locator('#terminal').waitFor();
	await page.locator('#disconnect').click();
	await ended(page);
	await page.locator('#again').click();

	// Another key than before is told from the right one.
	await page.evaluate(() => {
		localStorage.setItem('sockmux.ssh.hosts', localStorage.getItem('sockmux.ssh.hosts')?.replace(/SHA256:[^"]+/, 'SHA256:another') ?? '');
	});
	await page.locator('#connect').click();
	await page.locator('#host-key').waitFor();
	assert.match(await page.locator('#host-key').innerText(), /key of this host has changed[^]*SHA256:another/);
	await page.locator('#distrust').click();
	assert.match(await complaint(page) ?? '', /was not trusted/);

	await page.locator('[name=key]').fill('no key');
	await page.locator('#connect').click();
	await until(async () => /cannot be read/.test(await complaint(page) ?? ''), 'the complaint of a key that is none');
	assert.equal(page.carriers.length, 1, 'one WebSocket');
	await page.context().close();
});

test('a password: a wrong one, the right one, a size, a lost connection', { timeout: 120_000 }, async () => {
	const page = await open({ port: withPassword.port, user: 'alice', password: 'wrong' });
	assert.equal(await trust(page), withPassword.fingerprint);
	assert.equal(await complaint(page), '127.0.0.1 refuses the user alice with this password.');
	await page.locator('[name=password]').fill('secret');
	await page.locator('#connect').click();
	await page.locator('#terminal').waitFor();
	await shown(page, /alice>/);
	await type(page, 'size');
	const [, rows] = await shown(page, /size (\d+) \d+/);
	assert.equal(Number(rows), await page.locator('.xterm-rows > div').count());
	await type(page, 'vanish');
	assert.match(await ended(page) ?? '', /^The connection to 127\.0\.0\.1 was lost: /);
	await page.locator('#again').click();

	assert.equal(await page.locator('[name=password]').inputValue(), '', 'the password is not kept');
	await page.locator('[name=password]').fill('secret');
	await page.locator('#connect').click();
	await shown(page, /alice>/);
	await type(page, 'exit 3');
	assert.equal(await ended(page), 'The shell has ended with exit status 3.');
	await page.context().close();
});

test('a target that is not there, is not allowed, is silent, or speaks another protocol', { timeout: 120_000 }, async () => {
	const { ports } = world.targets;
	const page = await open({ port: ports.refused, user: 'alice', password: 'secret' });
	assert.match(await complaint(page) ?? '', /refuses connections at port/);
	for (const [port, wanted] of /** @type {const} */ ([[ports.denied, /Start it with --allow 127\.0\.0\.1:\d+/], [ports.line, /does not speak SSH/], [ports.silent, /does not answer/]])) {
		await page.locator('[name=port]').fill(String(port));
		await page.locator('#connect').click();
		await until(async () => wanted.test(await page.locator('#notice').textContent() ?? ''), `the complaint ${wanted}`);
	}
	await page.context().close();
});
