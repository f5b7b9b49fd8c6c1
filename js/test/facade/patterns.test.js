import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compilePattern } from '../../src/facade/patterns.js';

/** The cases that the server's rules are tested with, too. */
const { fits, refused } = JSON.parse(readFileSync(new URL('../../../shared/testdata/patterns.json', import.meta.url), 'utf8'));

for (const [pattern, host, port, expected] of fits) {
	test(`pattern: ${pattern} ${expected ? 'fits' : 'does not fit'} ${host} port ${port}`, () => assert.equal(compilePattern(pattern)({ host, port }), expected));
}

for (const pattern of refused) {
	test(`pattern: ${JSON.stringify(pattern)} is refused by name, and the text says what would be right`, () => {
		assert.throws(() => compilePattern(pattern), ({ name, message }) => {
			assert.equal(name, 'TypeError');
			assert.ok(message.startsWith(`match: ${JSON.stringify(pattern)}: want HOST or HOST:PORT`), message);
			return true;
		});
	});
}
