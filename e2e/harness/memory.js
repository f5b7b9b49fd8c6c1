// How much memory a page and its workers have, as the system counts it: everything is in,
// whichever heap it is on.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 100;

/**
 * Resident bytes of a process; 0 of one that has ended, which it may do at any time.
 * @param {number} pid
 */
export function resident(pid) {
	try {
		const kilobytes = process.platform === 'linux' ? /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] : execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' });
		return Number(kilobytes ?? 0) * 1024;
	} catch {
		return 0;
	}
}

/**
 * Processes that render pages, with their workers.
 * @param {import('playwright-core').Browser} browser
 * @returns {Promise<number[]>}
 */
export async function renderers(browser) {
	const cdp = await browser.newBrowserCDPSession();
	const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
	await cdp.detach();
	return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/**
 * Watches the sum over the pages of a browser while something runs.
 * @template T
 * @param {import('playwright-core').Browser} browser
 * @param {() => Promise<T>} run
 * @returns {Promise<{ value: T, before: number, peak: number }>} bytes
 */
export async function watchMemory(browser, run) {
	const pids = await renderers(browser);
	const sum = () => pids.reduce((all, pid) => all + resident(pid), 0);
	const before = sum();
	let peak = before;
	const timer = setInterval(() => {
		peak = Math.max(peak, sum());
	}, SAMPLE_MS);
	try {
		const value = await run();
		return { value, before, peak: Math.max(peak, sum()) };
	} finally {
		clearInterval(timer);
	}
}
