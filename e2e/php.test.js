// PHP (php-wasm of WordPress Playground) with the script tag and `emscriptenOptions: {
// websocket: {} }` (docs/PHP.md). It has a connect() and a poll() of its own, and waits
// for events of SOCKFS's peers.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { BLOCKS, bundlePHP, startServices } from './harness/php.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { block, md5, MEGABYTE } from './harness/targets.js';
import { until } from './harness/until.js';

/** What one script may take on a busy machine; one that hangs fails by it. */
const RUN_TIMEOUT = 60_000;
const UPLOAD_BLOCKS = 3;
/** Downloads and uploads, one after the other. */
const TRANSFERS = 3;

/** @type {Awaited<ReturnType<typeof startServices>>} */
let services;
/** @type {Awaited<ReturnType<typeof startSockmux>>} */
let server;

const world = suite({
	async ready({ alsoStop, site, targets }) {
		await bundlePHP();
		services = await startServices();
		alsoStop(services);
		const ports = [...Object.entries(targets.ports), ...Object.entries(services.ports)];
		const allow = ports.filter(([name]) => name !== 'denied').flatMap(([, port]) => ['--allow', `127.0.0.1:${port}`]);
		server = await startSockmux(['--demo', '--allow-origin', site.origin, ...allow]);
		alsoStop(server);
		site.words.SERVER = server.origin;
	},
});

/** Opens a socket to a service of the targets as $f. @param {string} name */
const open = (name) => `$f = fsockopen('127.0.0.1', ${world.targets.ports[name]}, $n, $e, 30);`;
/** @param {'http' | 'https'} scheme @param {string} path */
const url = (scheme, path) => `${scheme}://127.0.0.1:${services.ports[scheme]}${path}`;
const CA = 'stream_context_create([\'ssl\' => [\'cafile\' => \'/ca.pem\']])';
/** A request by curl, as [body, errno]. @param {string} where @param {string} [options] */
const curl = (where, options = '') => `$c = curl_init('${where}'); curl_setopt_array($c, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CAINFO => '/ca.pem'${options}]); echo json_encode([curl_exec($c), curl_errno($c)]);`;

const downloaded = () => {
	const hash = createHash('md5');
	for (let i = 0; i < BLOCKS; i++) hash.update(block(i));
	return hash.digest('hex');
};

/**
 * What PHP runs and what it must print.
 * @type {[title: string, code: () => string, expected: () => string | RegExp][]}
 */
const CASES = [
	['fsockopen, fwrite, fgets', () => `${open('echo')} fwrite($f, "hello\\n"); echo fgets($f);`, () => 'hello\n'],
	['stream_socket_client by name', () => `$f = stream_socket_client('tcp://demo.test:${world.targets.ports.echo}', $n, $e, 30); fwrite($f, "hello\\n"); echo fgets($f);`, () => 'hello\n'],
	['stream_get_contents to the end', () => `${open('lines')} echo stream_get_contents($f), feof($f) ? ' end' : ' no end';`, () => 'first\nsecond\nthird end'],
	['while (!feof) fgets', () => `${open('lines')} while (!feof($f)) echo fgets($f), '|';`, () => 'first\n|second\n|third|'],
	['stream_set_timeout', () => `${open('silent')} stream_set_timeout($f, 1); $t = microtime(true); echo json_encode([fgets($f), stream_get_meta_data($f)['timed_out'], microtime(true) - $t >= 0.9]);`, () => '[false,true,true]'],
	['stream_select sees what comes', () => `${open('lines')} $r = [$f]; $w = $x = null; echo stream_select($r, $w, $x, 30) > 0 ? fgets($f) : 'nothing';`, () => 'first\n'],
	['stream_select sees room to write', () => `${open('silent')} $w = [$f]; $r = $x = null; echo stream_select($r, $w, $x, 30);`, () => '1'],
	['a reset', () => `${open('reset')} echo fgets($f), json_encode(fgets($f)), feof($f) ? ' end' : ' no end';`, () => 'before the reset\nfalse end'],
	['file_get_contents, http', () => `echo file_get_contents('${url('http', '/')}');`, () => 'GET 0'],
	['file_get_contents, https', () => `echo file_get_contents('${url('https', '/')}', false, ${CA});`, () => 'GET 0'],
	['https to a certificate of no authority', () => `echo json_encode(@file_get_contents('${url('https', '/')}'));`, () => 'false'],
	['curl, http', () => curl(url('http', '/')), () => '["GET 0",0]'],
	['curl, https', () => curl(url('https', '/')), () => '["GET 0",0]'],
	['curl, an upload', () => curl(url('http', '/'), ', CURLOPT_POSTFIELDS => str_repeat(\'x\', 2000000)'), () => '["POST 2000000",0]'],
	['curl, refused', () => curl(`http://127.0.0.1:${world.targets.ports.refused}/`), () => '[false,7]'],
	['a refused connection', () => `echo json_encode([@fsockopen('127.0.0.1', ${world.targets.ports.refused}, $n, $e, 30), $e]);`, () => '[false,"Connection refused"]'],
	['a connection that the policy denies', () => `echo json_encode([@fsockopen('127.0.0.1', ${world.targets.ports.denied}, $n, $e, 30), $e]);`, () => '[false,"Permission denied"]'],
	['an unknown name', () => 'echo json_encode([@fsockopen(\'no-such-host.invalid\', 80, $n, $e, 30), $e !== \'\']);', () => '[false,true]'],
	['an unknown name in a URL', () => 'echo json_encode(@file_get_contents(\'http://no-such-host.invalid/\'));', () => 'false'],
	[`${BLOCKS} MB down`, () => `echo md5(file_get_contents('${url('http', '/big')}'));`, downloaded],
	[`${BLOCKS} MB down by https`, () => `echo md5(file_get_contents('${url('https', '/big')}', false, ${CA}));`, downloaded],
	[`${UPLOAD_BLOCKS} MB up`, () => `${open('upload')} fwrite($f, "${UPLOAD_BLOCKS * MEGABYTE}\\n"); $d = str_repeat('x', ${UPLOAD_BLOCKS * MEGABYTE}); echo fwrite($f, $d), ' ', stream_get_contents($f);`,
		() => `${UPLOAD_BLOCKS * MEGABYTE} ${`${md5(Buffer.alloc(MEGABYTE, 'x'))}\n`.repeat(UPLOAD_BLOCKS)}`],
	['Redis by hand', () => `$f = fsockopen('127.0.0.1', ${services.ports.redis}); $c = function (...$a) use ($f) { $s = '*' . count($a) . "\\r\\n"; foreach ($a as $x) $s .= '$' . strlen($x) . "\\r\\n$x\\r\\n"; fwrite($f, $s); return trim(fgets($f)); };`
		+ ' echo $c(\'SET\', \'key\', \'value\'), \' \', $c(\'GET\', \'key\'), \' \', trim(fgets($f));', () => '+OK $5 value'],
	['names of both ends', () => `${open('echo')} echo json_encode([stream_socket_get_name($f, true), stream_socket_get_name($f, false)]);`,
		() => new RegExp(`^\\["127\\.0\\.0\\.1:${world.targets.ports.echo}","127\\.0\\.0\\.1:[1-9]\\d*"\\]$`)],
];

/**
 * Of the cases, those in which PHP is right with the facade alone; the others are the
 * layer's gain.
 */
const LAYER_ONLY = new Set(['curl, refused', 'a refused connection', 'a connection that the policy denies', 'an unknown name', 'names of both ends']);

/** @type {[title: string, path: string, asyncify: boolean, titles: (title: string) => boolean][]} */
const PLACES = [
	['in the page, JSPI', '/php.html', false, () => true],
	['in the page, ASYNCIFY', '/php.html', true, () => true],
	['in a module worker', '/php-worker.html#module', false, () => true],
	['in a classic worker, without a setting', '/php-worker.html#classic', false, () => true],
	['in a module worker, by the page\'s tag', '/php-tag.html#module', false, () => true],
	['in a classic worker, by the page\'s tag', '/php-tag.html#classic', false, () => true],
	['without the layer (data-sockfs="off")', '/php-facade.html', false, (title) => !LAYER_ONLY.has(title)],
];

for (const [title, path, asyncify, chosen] of PLACES) {
	describe(`PHP ${title}`, () => {
		/** @type {import('./harness/suite.js').TestPage} */
		let page;
		/** @type {{ evaluate: import('playwright-core').Page['evaluate'] }} */
		let place;
		const has = (/** @type {string} */ name) => place.evaluate((key) => key in globalThis, name);

		test('starts', { timeout: RUN_TIMEOUT * 2 }, async () => {
			page = await world.newPage();
			await page.goto(`${world.site.origin}${path}`);
			place = /worker|tag/.test(path) ? await until(() => page.workers()[0], 'the worker') : page;
			await until(() => has('startPHP'), 'the script of the page', RUN_TIMEOUT);
			await place.evaluate((options) => /** @type {any} */ (globalThis).startPHP(options), { asyncify, ca: services.ca });
		});

		for (const [name, code, expected] of CASES.filter(([each]) => chosen(each))) {
			test(name, { timeout: RUN_TIMEOUT }, async () => {
				const printed = await place.evaluate((text) => /** @type {any} */ (globalThis).runPHP(text), code());
				const right = expected();
				if (right instanceof RegExp) assert.match(printed, right);
				else assert.equal(printed, right);
			});
		}

		if (path === '/php-tag.html#module') {
			// Each wait that ends too early, or is not told of its end, is a transfer that is cut or late.
			test('transfers both ways, one after the other, while the page is busy', { timeout: 2 * RUN_TIMEOUT }, async () => {
				await page.evaluate(() => {
					/** @type {any} */ (globalThis).busy = setInterval(() => {
						for (const end = performance.now() + 10; performance.now() < end;);
					}, 20);
				});
				const printed = await place.evaluate((text) => /** @type {any} */ (globalThis).runPHP(text), `for ($i = 0; $i < ${TRANSFERS}; $i++) {
					${open('download')} fwrite($f, "${BLOCKS}\n"); echo md5(stream_get_contents($f)), "\n";
					${open('upload')} fwrite($f, "${BLOCKS * MEGABYTE}\n"); echo fwrite($f, str_repeat('x', ${BLOCKS * MEGABYTE})), "\n", stream_get_contents($f); }`);
				assert.equal(printed, `${downloaded()}\n${BLOCKS * MEGABYTE}\n${`${md5(Buffer.alloc(MEGABYTE, 'x'))}\n`.repeat(BLOCKS)}`.repeat(TRANSFERS));
				await page.evaluate(() => clearInterval(/** @type {any} */ (globalThis).busy));
			});
			test('all in one WebSocket', () => assert.equal(page.carriers.length, 1, page.carriers.join(' ')));
		}

		test('nothing was thrown', () => {
			assert.deepEqual(page.lines.filter((line) => line.startsWith('uncaught')), []);
		});

		after(() => page?.context().close());
	});
}
