// A second tree of this repository, built for the benchmarks.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** How much of a failed build's output an error shows. */
const SHOWN_LINES = 20;

/**
 * Checks out a commit into a temporary folder.
 * @param {string} root  the repository
 * @param {string} ref
 * @returns {Promise<{ path: string, name: string, remove: () => Promise<void> }>}  name: the commit and its subject
 */
export async function checkout(root, ref) {
	const git = (...args) => execute('git', args, { cwd: root }).then(({ stdout }) => stdout.trim());
	const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`).catch(() => {
		throw new Error(`BASE=${ref}: this repository has no such commit`);
	});
	const path = await mkdtemp(join(tmpdir(), 'sockmux-base-'));
	const remove = async () => {
		await rm(path, { recursive: true, force: true, maxRetries: 5 }); // an interrupted build may still write
		await git('worktree', 'prune');
	};
	try {
		await git('worktree', 'add', '--quiet', '--force', '--detach', path, commit);
		return { path, name: await git('log', '-1', '--format=%h %s', commit), remove };
	} catch (error) {
		await remove();
		throw error;
	}
}

/**
 * Runs a command of a build. The error of a failure holds the end of its output.
 * @param {string} what  names the tree in that error
 * @param {{ folder: string, signal?: AbortSignal }} where  signal ends it
 * @param {string} command
 * @param {string[]} args
 */
export async function build(what, { folder, signal }, command, ...args) {
	const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], signal });
	const output = [];
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
	const code = await new Promise((resolve, reject) => { child.on('error', reject).on('close', resolve); });
	if (code === 0) return;
	const lines = Buffer.concat(output).toString().trimEnd().split('\n');
	throw new Error(`${what} does not build: ${[command, ...args].join(' ')}:\n${lines.slice(-SHOWN_LINES).join('\n')}`);
}
