import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, checkout } from './tree.mjs';

/** A repository with one commit and a later one. */
async function repository(t) {
	const folder = await mkdtemp(join(tmpdir(), 'sockmux-compare-'));
	t.after(() => rm(folder, { recursive: true }));
	const git = (...args) => execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args], { cwd: folder, stdio: 'pipe' });
	git('init', '--quiet');
	for (const text of ['first', 'second']) {
		await writeFile(join(folder, 'file'), text);
		git('add', 'file');
		git('commit', '--quiet', '-m', text);
	}
	return folder;
}

test('a commit is checked out beside the tree and removed', async (t) => {
	const folder = await repository(t);
	const tree = await checkout(folder, 'HEAD^');
	assert.match(tree.name, /^[0-9a-f]+ first$/);
	assert.equal(await readFile(join(tree.path, 'file'), 'utf8'), 'first');
	assert.equal(await readFile(join(folder, 'file'), 'utf8'), 'second');
	await tree.remove();
	assert.equal(existsSync(tree.path), false);
	assert.equal(execFileSync('git', ['worktree', 'list'], { cwd: folder }).toString().trim().split('\n').length, 1);
});

for (const ref of ['nowhere', '--help', 'HEAD:file']) {
	test(`${ref} is refused`, async (t) => {
		await assert.rejects(checkout(await repository(t), ref), { message: `BASE=${ref}: this repository has no such commit` });
	});
}

test('a build that fails shows the end of its output', async () => {
	await build('the base', { folder: '.' }, 'true');
	await assert.rejects(build('the base', { folder: '.' }, 'sh', '-c', 'echo out; echo why >&2; exit 2'), { message: /^the base does not build: sh -c .*:\n(out\nwhy|why\nout)$/s });
});

test('a build can be interrupted', async () => {
	const interrupted = new AbortController();
	const built = build('the base', { folder: '.', signal: interrupted.signal }, 'sleep', '600');
	interrupted.abort();
	await assert.rejects(built, { name: 'AbortError' });
});
