import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announced, barAt, curlWords, downloaded, statusWords } from '../../../src/webr/urls/wording.js';

test('sizes are as R prints them', () => {
	assert.equal(announced('text/csv', 12), 'Content type \'text/csv\' length 12 bytes\n');
	assert.equal(announced('application/octet-stream', 3_000_000), 'Content type \'application/octet-stream\' length 3000000 bytes (2.9 MB)\n');
	assert.equal(announced(undefined, 20_480), 'Content type \'unknown\' length 20480 bytes (20 KB)\n');
	assert.deepEqual([12, 701_000, 3_000_000].map(downloaded), ['downloaded 12 bytes\n\n', 'downloaded 684 KB\n\n', 'downloaded 2.9 MB\n\n']);
	assert.deepEqual([barAt(0, 100), barAt(5, 100), barAt(100, 100), barAt(200, 100)], [0, 2, 50, 50]);
});

test('statuses and failures are in the words of R and libcurl', () => {
	assert.deepEqual([404, 500, 418].map(statusWords), ['404 Not Found', '500 Internal Server Error', '418 Unknown Error']);
	assert.equal(curlWords('refused', 'nothing listens'), 'Could not connect to server');
	assert.equal(curlWords('denied', '10.0.0.1:80: the policy forbids it'), 'denied: 10.0.0.1:80: the policy forbids it');
});
