// Finds the browser and starts it. There is no test without one: where none is found, the
// tests fail and say why.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/Applications/Google Chrome.app/Contents/MacOS', '/Applications/Chromium.app/Contents/MacOS'];

/** @param {string} path */
function executable(path) {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/**
 * The path of Chromium or Chrome: CHROMIUM if it is set, else the first that PATH and the
 * usual folders have.
 */
export function findChromium(env = process.env) {
	if (env.CHROMIUM) {
		if (executable(env.CHROMIUM)) return env.CHROMIUM;
		throw new Error(`CHROMIUM is ${env.CHROMIUM}, which cannot be executed: set it to the path of Chromium or Chrome`);
	}
	const folders = [...(env.PATH ?? '').split(delimiter), ...FOLDERS].filter(Boolean);
	const names = [...NAMES, 'Google Chrome', 'Chromium'];
	for (const name of names) {
		for (const folder of folders) {
			const path = join(folder, name);
			if (executable(path)) return path;
		}
	}
	throw new Error(`no Chromium found (looked for ${NAMES.join(', ')} in PATH): install it (Debian: apt-get install chromium) or set CHROMIUM to its path`);
}

/** Starts a headless browser that talks to the tests only. */
export function launch() {
	return chromium.launch({
		executablePath: findChromium(),
		args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--enable-precise-memory-info'],
		timeout: 60_000,
	});
}
