import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILES } from '../../src/entry/build.js';
import { ConfigError, fromDataset, readConfig, checkNames } from '../../src/api/config.js';

const PLACE = { script: 'https://tunnel.example/sub/sockmux.js', pinned: true, page: 'https://page.example/notes/index.html', origin: 'https://page.example', built: { ...FILES, wasm: { name: 'sockmux-01234567.wasm', integrity: 'sha384-abc' } } };

test('everything comes from where the script came from', () => {
	const { files, ...config } = readConfig({}, PLACE);
	assert.deepEqual(files.wasm, { url: 'https://tunnel.example/sub/assets/sockmux-01234567.wasm', integrity: 'sha384-abc' });
	assert.deepEqual(Object.keys(files), Object.keys(FILES));
	assert.deepEqual(files.engine, { url: 'https://tunnel.example/sub/assets/sockmux-engine.js', integrity: undefined });
	assert.deepEqual(config, {
		url: 'wss://tunnel.example/sub/v1/connect', prefix: 'https://tunnel.example/sub/',
		pinned: true, match: 'sockfs', origin: 'https://page.example', optimistic: false, timeoutMs: undefined, load: 'eager', worker: false, tunnel: 'sockets', webr: true, sockfs: true, blocking: true, listen: false, token: undefined,
	});
});

/** @type {[name: string, given: Record<string, unknown>, script: string | null, url: string, wasm: string][]} */
const PLACES = [
	['the hashed script', {}, 'https://t.example/x/assets/sockmux-0a1b2c3d.js', 'wss://t.example/x/v1/connect', 'https://t.example/x/assets/sockmux-01234567.wasm'],
	['a folder assets of somebody else', {}, 'http://t.example/assets/sockmux.js?v=1', 'ws://t.example/assets/v1/connect', 'http://t.example/assets/assets/sockmux-01234567.wasm'],
	['a server of its own', { url: 'https://s.example' }, 'https://cdn.example/a/sockmux.js', 'wss://s.example/v1/connect', 'https://cdn.example/a/assets/sockmux-01234567.wasm'],
	['a prefix', { url: 'wss://s.example/p' }, PLACE.script, 'wss://s.example/p/v1/connect', 'https://tunnel.example/sub/assets/sockmux-01234567.wasm'],
	['the endpoint', { url: 'ws://s.example:81/p/v1/connect' }, PLACE.script, 'ws://s.example:81/p/v1/connect', 'https://tunnel.example/sub/assets/sockmux-01234567.wasm'],
	['a relative URL', { url: '/tunnel/', wasm: 'x.wasm' }, PLACE.script, 'wss://page.example/tunnel/v1/connect', 'https://page.example/notes/x.wasm'],
	['no known script', { url: 'https://s.example/' }, null, 'wss://s.example/v1/connect', 'https://s.example/assets/sockmux-01234567.wasm'],
	['a script from a file', { url: 'https://s.example/' }, 'file:///x/sockmux.js', 'wss://s.example/v1/connect', 'https://s.example/assets/sockmux-01234567.wasm'],
];
for (const [name, given, script, url, wasm] of PLACES) {
	test(`place: ${name}`, () => {
		const config = readConfig(given, { ...PLACE, script });
		assert.deepEqual([config.url, config.files.wasm.url], [url, wasm]);
		assert.equal(config.files.wasm.integrity, given.wasm ? undefined : 'sha384-abc');
	});
}

test('the other files may be elsewhere, all of them or the wasm alone', () => {
	const { files } = readConfig({ assets: '/static/sockmux', wasm: 'https://cdn.example/x.wasm' }, PLACE);
	assert.deepEqual(files.engine.url, 'https://page.example/static/sockmux/sockmux-engine.js');
	assert.deepEqual(files.wasm, { url: 'https://cdn.example/x.wasm' });
	assert.equal(readConfig({ integrity: 'sha384-def' }, PLACE).files.wasm.integrity, 'sha384-def');
});

/** @type {[name: string, given: Record<string, unknown>, place: { pinned: boolean, script?: string | null }, integrity: string | undefined][]} */
const CHECKS = [
	['a script that the page pins', {}, { pinned: true }, 'sha384-abc'],
	['a script that the page trusts, and its server', {}, { pinned: false }, undefined],
	['files of another server', { assets: 'https://cdn.example/' }, { pinned: false }, 'sha384-abc'],
	['a script of unknown origin', { url: 'https://s.example/' }, { pinned: false, script: null }, 'sha384-abc'],
	['the same as a file', { url: 'https://s.example/' }, { pinned: false, script: 'file:///x/sockmux.js' }, 'sha384-abc'],
	['a check that was asked for', { integrity: 'sha384-def' }, { pinned: false }, 'sha384-def'],
	['a wasm of its own', { wasm: 'x.wasm', integrity: 'sha384-def' }, { pinned: false }, 'sha384-def'],
];
for (const [name, given, place, integrity] of CHECKS) {
	test(`check of the wasm: ${name}`, () => {
		assert.equal(readConfig(given, { ...PLACE, ...place }).files.wasm.integrity, integrity);
	});
}

test('attributes are strings, options have types', () => {
	const strings = readConfig({ optimistic: '', timeout: '2.5', load: 'lazy', worker: 'on', webr: 'off', sockfs: 'on', match: '*.example' }, PLACE);
	const typed = readConfig({ optimistic: true, timeout: 2.5, load: 'lazy', worker: true, webr: false, sockfs: true, match: '*.example' }, PLACE);
	assert.deepEqual(strings, typed);
	assert.deepEqual([strings.optimistic, strings.timeoutMs, strings.load, strings.worker, strings.webr], [true, 2500, 'lazy', true, false]);
});

/** @type {[given: Record<string, unknown>, message: RegExp | string][]} */
const FAULTS = [
	[{ url: 'ftp://h/' }, 'url: "ftp://h/" is not a URL that begins with https:, http:, wss: or ws:'],
	[{ url: 'http://[' }, 'url: "http://[" is not a URL'],
	[{ url: '' }, 'url: "" is not a string that is not empty'],
	[{ url: 'https://me:secret@h/' }, 'url: "https://h/" is not a URL without user name, password, query and fragment: give a credential with setToken'],
	[{ url: 'https://h/?token=x' }, /^url: "https:\/\/h\/" is not a URL without/],
	[{ wasm: 'wss://h/x.wasm' }, 'wasm: "wss://h/x.wasm" is not a URL that begins with https: or http:'],
	[{ match: 'a b]' }, 'match: "b]": want HOST or HOST:PORT, where HOST is a name, *.NAME, *, an address, ADDRESS/BITS or public (IPv6 in []), and PORT is a number, FIRST-LAST or *'],
	[{ match: 5 }, /^match: 5 is not sockfs, programs, all-binary, none/],
	[{ optimistic: 'yes' }, 'optimistic: "yes" is not "on" or "off"'],
	[{ timeout: '0' }, 'timeout: "0" is not a number of seconds above 0, at most 3600'],
	[{ timeout: '' }, /^timeout: ""/],
	[{ timeout: 60_000 }, /^timeout: 60000/],
	[{ timeout: 'soon' }, /^timeout: "soon"/],
	[{ assets: 'file:///x/' }, 'assets: "file:///x/" is not a URL that begins with https: or http:'],
	[{ worker: 'shared' }, 'worker: "shared" is not "on" or "off"'],
	[{ tunnel: 'all' }, 'tunnel: "all" is not "sockets" or "websockets"'],
	[{ load: 'never' }, 'load: "never" is not "eager" or "lazy"'],
	[{ integrity: 'md5-x' }, 'integrity: "md5-x" is not an SRI string such as "sha384-..."'],
	[{ token: 7 }, 'token: 7 is not a string that is not empty'],
];
for (const [given, message] of FAULTS) {
	test(`fault: ${JSON.stringify(given)}`, () => {
		assert.throws(() => readConfig(given, PLACE), (error) => {
			assert.ok(error instanceof ConfigError);
			if (typeof message === 'string') assert.equal(error.message, message);
			else assert.match(error.message, message);
			return true;
		});
	});
}

test('a page that says nothing and a script from nowhere', () => {
	assert.throws(() => readConfig({}, { ...PLACE, script: null }), /^Error: url is missing: it is the URL of the sockmux server/);
});

test('attributes that are none of ours are named, and no attribute carries a token', () => {
	const others = { turboTrack: 'reload', cfasync: 'false', id: '5', role: 'x', ws: 'y', script: 'main' };
	assert.deepEqual(fromDataset({ url: 'https://h/', load: 'lazy', token: 'secret', ...others }), {
		options: { url: 'https://h/', load: 'lazy' }, unknown: ['data-token', 'data-turboTrack', 'data-cfasync', 'data-id', 'data-role', 'data-ws', 'data-script'],
	});
});

test('a misspelled name is an error that has the right one', () => {
	for (const [name, attribute, right] of [['optimstic', 'data-optimstic', 'data-optimistic'], ['timeOut', 'data-timeOut', 'data-timeout'], ['ulr', 'data-ulr', 'data-url'], ['macth', 'data-macth', 'data-match']]) {
		assert.throws(() => fromDataset({ [name]: '' }), (error) => error instanceof ConfigError && error.message === `${attribute} is no setting; ${right} is one`);
	}
	checkNames({ url: 'x', token: undefined });
	for (const [name, right] of [['tokn', 'token'], ['Timeout', 'timeout'], ['wrkr', 'worker']]) {
		assert.throws(() => checkNames({ url: 'x', [name]: 1 }), (error) => error instanceof ConfigError && error.message === `${name} is no setting; ${right} is one`);
	}
	assert.throws(() => checkNames({ port: 80 }, ['url', 'token']), { message: 'port is no setting; url or token is one' });
});
