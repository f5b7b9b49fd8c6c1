import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HOOK } from '../../src/sockfs/calls/blocking.js';
import { ENOPROTOOPT, ENOSYS } from '../../src/wire/generated/errno.js';

// Emscripten links the library into programs, so it can import nothing.
const library = readFileSync(new URL('../../library/sockmux-library.js', import.meta.url), 'utf8');

test('the library has the hook and the errnos of the layer', () => {
	assert.ok(library.includes(`Symbol.for('${HOOK.description}')`));
	const failures = [...library.matchAll(/sockmuxOperation\('(\w+)', -(\d+)/g)].map(([, name, errno]) => [name, Number(errno)]);
	assert.deepEqual(failures, [['shutdown', ENOSYS], ['setsockopt', ENOPROTOOPT]]);
});
