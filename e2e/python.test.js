// Python (Pyodide from npm) in a dedicated worker, with the script tag in the page and nothing
// else: docs/PYTHON.md. Its calls block.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { startClock } from './harness/clock.js';
import { startDns } from './harness/dns.js';
import { havePython, startDatabases } from './harness/python.js';
import { startSockmux } from './harness/sockmux.js';
import { suite } from './harness/suite.js';
import { block, md5, MEGABYTE } from './harness/targets.js';
import { until } from './harness/until.js';

/** What one script may take on a busy machine; one that hangs fails by it. */
const RUN_TIMEOUT = 60_000;
/** What Pyodide may take to start on a busy machine. */
const START_TIMEOUT = 120_000;
/** Megabytes of a transfer. */
const BLOCKS = 8;

const databases = havePython();
/** @type {Record<string, number>} */
const ports = {};
/** Ports of UDP. @type {Record<'dns' | 'peer', number>} */
const udp = { dns: 0, peer: 0 };
/** @type {Awaited<ReturnType<typeof startSockmux>>} */
let server;

const world = suite({
	async ready({ alsoStop, site, targets }) {
		Object.assign(ports, targets.ports);
		if (databases) {
			const { stop, ...started } = await startDatabases();
			alsoStop({ stop });
			Object.assign(ports, started);
		}
		const { address, stop: stopDns } = await startDns({ 'www.example.org': ['192.0.2.7'] });
		alsoStop({ stop: stopDns });
		const clock = await startClock(); // it sends other datagrams back
		alsoStop(clock);
		Object.assign(udp, { dns: Number(address.split(':').at(-1)), peer: clock.port });
		const allow = Object.entries(ports).filter(([name]) => name !== 'denied').flatMap(([, port]) => ['--allow', `127.0.0.1:${port}`]);
		server = await startSockmux(['--demo', '--allow-origin', site.origin, '--allow', 'udp://127.0.0.1', ...allow]);
		alsoStop(server);
		site.words.SERVER = server.origin;
	},
});

/** Opens a socket to a service of the targets as s. @param {string} name @param {string} [more] */
const open = (name, more = '') => `import socket\ns = socket.create_connection(("127.0.0.1", ${ports[name]})${more})\n`;
/** Prints the error's class and text. @param {string} code */
const failing = (code) => `try:\n  ${code}\nexcept Exception as e: print(type(e).__name__, e)`;

/** The program of docs/PYTHON.md below "Datagrams", with the servers of this world. */
const documented = () => [...readFileSync(new URL('../docs/PYTHON.md', import.meta.url), 'utf8').split('## Datagrams')[1].split('\n## ')[0].matchAll(/^(?: {4}.*)?\n/gm)].map(([line]) => line.replace(/^ {4}/, '')).join('')
	.replace('"dns.example.org", 53', `"127.0.0.1", ${udp.dns}`).replace('"time.example.org", 123', `"127.0.0.1", ${udp.peer}`);

const DATAGRAMS = 'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n';

const DOWNLOADED = Array.from({ length: BLOCKS }, (_, i) => md5(block(i))).join('\n');
const UPLOADED = Array(BLOCKS).fill(md5(Buffer.alloc(MEGABYTE, 'x'))).join('\n');

/** Runs asyncio's own loop, as docs/PYTHON.md shows it. */
const LOOP = `# no task
import asyncio
class Loop(asyncio.SelectorEventLoop):
  def _make_self_pipe(self): pass
  def _close_self_pipe(self): pass
def run(main):
  outer = asyncio._get_running_loop()
  asyncio._set_running_loop(None)
  try:
    with asyncio.Runner(loop_factory=Loop) as runner: return runner.run(main)
  finally: asyncio._set_running_loop(outer)
`;

/** @type {[title: string, code: () => string, expected: () => string][]} */
const CASES = [
	['a connection, bytes both ways', () => `${open('echo', ', timeout=20')}s.sendall(b"hello"); print(s.recv(100)); s.close()`, () => 'b\'hello\''],
	['names of both ends', () => `${open('echo')}print(s.getpeername(), s.getsockname()[1] > 0)`, () => `('127.0.0.1', ${ports.echo}) True`],
	['settimeout ends a recv', () => `${open('silent')}s.settimeout(0.3)\n${failing('s.recv(1)')}`, () => 'TimeoutError timed out'],
	['a recv waits', () => `${open('slow')}print(s.recv(10), s.recv(10))`, () => 'b\'late\\n\' b\'\''],
	['refused', () => failing(`import socket; socket.create_connection(("127.0.0.1", ${ports.refused}))`), () => 'ConnectionRefusedError [Errno 14] Connection refused'],
	['denied', () => failing(`import socket; socket.create_connection(("127.0.0.1", ${ports.denied}))`), () => 'PermissionError [Errno 2] Permission denied'],
	['a name that does not exist', () => failing('import socket; socket.create_connection(("no-such-host.invalid", 80))'), () => 'gaierror [Errno -2] Name does not resolve'],
	['a reset', () => `${open('reset')}print(s.recv(100))\n${failing('s.recv(1)')}`, () => 'b\'before the reset\\n\'\nConnectionResetError [Errno 15] Connection reset by peer'],
	['makefile, to the end', () => `${open('lines')}print(s.makefile().read().split())`, () => '[\'first\', \'second\', \'third\']'],
	['select waits, for a time and for bytes', () => `${open('slow')}import select, time
t = time.monotonic(); print(select.select([s], [], [], 0.2)[0], time.monotonic() - t >= 0.19)
print(select.select([s], [], [], 20)[0] == [s], s.recv(10))`, () => '[] True\nTrue b\'late\\n\''],
	['poll and selectors', () => `${open('slow')}import select, selectors
p = select.poll(); p.register(s, select.POLLIN); print(p.poll(50))
q = selectors.DefaultSelector(); q.register(s, selectors.EVENT_READ); print(len(q.select(20)), s.recv(10))`, () => '[]\n1 b\'late\\n\''],
	['select and poll without sockets wait for their time', () => `import os, select, time
r, w = os.pipe(); t = time.monotonic()
p = select.poll(); p.register(r, select.POLLIN); print(select.select([], [], [], 0.2), select.select([r], [], [], 0.2), p.poll(200))
print(time.monotonic() - t >= 0.59); os.write(w, b"x"); print(select.select([r], [], [], 20)[0] == [r], os.read(r, 9))`, () => '([], [], []) ([], [], []) []\nTrue\nTrue b\'x\''],
	['http.client and urllib', () => `import http.client, urllib.request
c = http.client.HTTPConnection("127.0.0.1", ${ports.http}, timeout=20); c.request("GET", "/"); r = c.getresponse(); print(r.status, r.read())
print(urllib.request.urlopen("http://127.0.0.1:${ports.http}/", timeout=20).read())`, () => '200 b\'served\\n\'\nb\'served\\n\''],
	[`${BLOCKS} MB down`, () => `${open('download')}import hashlib
s.sendall(b"${BLOCKS}\\n"); f = s.makefile("rb")
for _ in range(${BLOCKS}): print(hashlib.md5(f.read(${MEGABYTE})).hexdigest())
assert f.read() == b""`, () => DOWNLOADED],
	[`${BLOCKS} MB up`, () => `${open('upload')}s.sendall(b"${BLOCKS * MEGABYTE}\\n" + b"x" * ${BLOCKS * MEGABYTE}); print(s.makefile().read().strip())`, () => UPLOADED],
	['asyncio with a loop of its own', () => `${LOOP}async def main():
  async def ask(text):
    r, w = await asyncio.open_connection("127.0.0.1", ${ports.echo})
    w.write(text); await w.drain(); got = await r.read(100); w.close(); return got
  return await asyncio.gather(ask(b"one"), ask(b"two"), asyncio.sleep(0.1, "slept"))
print(run(main()))`, () => '[b\'one\', b\'two\', \'slept\']'],
	['UDP: a DNS query and an SNTP query, as docs/PYTHON.md has them', documented, () => '192.0.2.7\n2024-01-01 00:00:00+00:00'],
	['UDP: recvfrom tells the peer', () => `${DATAGRAMS}s.settimeout(20); s.sendto(b"x", ("127.0.0.1", ${udp.peer})); print(s.recvfrom(9))`, () => `(b'x', ('127.0.0.1', ${udp.peer}))`],
	['UDP: boundaries, sizes, the own address', () => `${DATAGRAMS}s.connect(("127.0.0.1", ${udp.peer}))
print(s.getsockname()[1] > 0, s.getpeername() == ("127.0.0.1", ${udp.peer}))
for text in (b"one", b"", b"x" * 65507): s.send(text)
print([len(s.recv(65536)) for _ in range(3)])`, () => 'True True\n[3, 0, 65507]'],
	['UDP: recvfrom waits, for a time and for a datagram', () => `${DATAGRAMS}import select, time
s.sendto(b"there", ("127.0.0.1", ${udp.peer})); print(select.select([s], [], [], 20)[0] == [s], s.recvfrom(3)[0])
s.settimeout(0.2); t = time.monotonic()\n${failing('s.recvfrom(10)')}
print(time.monotonic() - t >= 0.19)`, () => 'True b\'the\'\nTimeoutError timed out\nTrue'],
	['UDP: refused and denied', () => `${DATAGRAMS}s.settimeout(20); s.connect(("127.0.0.1", ${ports.refused})); s.send(b"x")\n${failing('s.recv(10)')}
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20); s.connect(("10.0.0.1", 9))\n${failing('s.recv(10)')}`,
	() => 'ConnectionRefusedError [Errno 14] Connection refused\nPermissionError [Errno 2] Permission denied'],
];

/** Calls whose C library has stubs in older Pyodides. @type {typeof CASES} */
const NEWER = [
	['shutdown(SHUT_WR)', () => `${open('echo')}s.sendall(b"abc"); s.shutdown(socket.SHUT_WR); print(s.makefile("rb").read())`, () => 'b\'abc\''],
];

const DRIVERS = `import sys, types
if "/drivers" not in sys.path:
  from pyodide.http import pyfetch
  import tarfile, io
  tarfile.open(fileobj=io.BytesIO(await (await pyfetch("/built/python.tar")).bytes())).extractall("/drivers", filter="data")
  sys.path.append("/drivers")
  import re
  # Python 3.12 has no distutils any more, which this pg8000 asks for one class.
  version = types.ModuleType("distutils.version"); version.LooseVersion = lambda text: [int(n) for n in re.findall("\\d+", text)[:2]]
  sys.modules["distutils"] = types.ModuleType("distutils"); sys.modules["distutils.version"] = version
`;

/** @type {typeof CASES} */
const DATABASES = [
	['redis-py', () => `${DRIVERS}import redis
r = redis.Redis(port=${ports.redis}, host="127.0.0.1", socket_timeout=20)
r.flushall(); r.set("key", "x" * 100000); print(len(r.get("key")), r.incr("n"))
p = r.pipeline(); [p.lpush("list", i) for i in range(100)]; print(len(p.execute()), r.blpop("list", timeout=5)[1])
s = r.pubsub(); s.subscribe("news"); r.publish("news", "hello"); print([s.get_message(timeout=5)["data"] for _ in range(2)])`,
	() => '100000 1\n100 b\'99\'\n[1, b\'hello\']'],
	['pg8000', () => `${DRIVERS}import pg8000
c = pg8000.connect(user="alice", host="127.0.0.1", port=${ports.postgres}, database="postgres")
q = c.cursor(); q.execute("CREATE TEMP TABLE t (n int, s text)")
q.executemany("INSERT INTO t VALUES (%s, %s)", [(i, str(i)) for i in range(50)])
q.execute("SELECT count(*), sum(n), max(s) FROM t"); print(q.fetchall())
${failing('q.execute("SELECT * FROM missing")').replace('print(type(e).__name__, e)', 'print(type(e).__name__, "missing" in str(e))')}`,
	() => '([50, 1225, \'9\'],)\nProgrammingError True'],
];

/** @type {[title: string, hash: string, newer: boolean][]} */
const PLACES = [
	['a module worker', '#module', true],
	['a classic worker (0.27)', '#classic', false],
];

for (const [title, hash, newer] of PLACES) {
	describe(`Python in ${title}`, () => {
		/** @type {import('./harness/suite.js').TestPage} */
		let page;
		/** Whether a connection to a service is open. @param {string} name */
		const connected = (name) => page.evaluate((end) => /** @type {any} */ (globalThis).sockmux.stats().streams
			.some((/** @type {any} */ each) => each.state === 'open' && each.target.endsWith(end)), `:${ports[name]}`);
		const run = (/** @type {string} */ code) => page.evaluate((text) => /** @type {any} */ (globalThis).run(text), code);

		test('starts', { timeout: START_TIMEOUT }, async () => {
			page = await world.newPage();
			await page.goto(`${world.site.origin}/python.html${hash}`);
			// docs/PYTHON.md has this line for Pyodides whose setsockopt() fails.
			const older = newer ? '' : 'import socket; socket.socket.setsockopt = lambda *_: None\n';
			assert.equal(await run(`${older}print(1 + 1)`), '2');
		});

		const chosen = [...CASES, ...(newer ? NEWER : []), ...(databases ? DATABASES : [])];
		for (const [name, code, expected] of chosen) {
			test(name, { timeout: RUN_TIMEOUT }, async () => assert.equal(await run(code()), expected()));
		}

		test('KeyboardInterrupt in a recv, by setInterruptBuffer()', { timeout: RUN_TIMEOUT }, async () => {
			const before = world.targets.closed.silent;
			const ran = run(`${open('silent')}print("waits")\ntry: s.recv(1)\nexcept KeyboardInterrupt: print("interrupted")\ns.close()`);
			await until(() => connected('silent'), 'the connection');
			await page.evaluate(() => /** @type {any} */ (globalThis).interrupt());
			assert.equal(await ran, 'waits\ninterrupted');
			await until(() => world.targets.closed.silent > before, 'the close');
		});

		for (const [call, code] of /** @type {const} */ ([
			['select', 'select.select([s], [], [])[0][0]'],
			['select with a time', 'select.select([s], [], [], 1000)[0][0]'],
			['recv with a time', 's.settimeout(1000); s.recv(1)'],
		])) {
			test(`KeyboardInterrupt in a ${call}`, { timeout: RUN_TIMEOUT }, async () => {
				const ran = run(`import select\n${open('silent')}try:\n  ${code}\nexcept KeyboardInterrupt: print("interrupted")\nprint(sum(range(100)))\ns.close()`);
				await until(() => connected('silent'), 'the connection');
				await page.evaluate(() => /** @type {any} */ (globalThis).interrupt());
				assert.equal(await ran, 'interrupted\n4950');
				await until(async () => !await connected('silent'), 'the end of the connection');
			});
		}

		test('KeyboardInterrupt in a poll without sockets', { timeout: RUN_TIMEOUT }, async () => {
			const ran = run(`import select, socket\ntry:
  s = socket.create_connection(("127.0.0.1", ${ports.silent}))
  select.poll().poll()\nexcept KeyboardInterrupt: print("interrupted")\ns.close()`);
			await until(() => connected('silent'), 'the connection');
			await page.evaluate(() => /** @type {any} */ (globalThis).interrupt());
			assert.equal(await ran, 'interrupted');
		});

		test('all in one WebSocket', () => assert.equal(page.carriers.length, 1, page.carriers.join(' ')));

		test('the end of sockmux in the page ends a wait', { timeout: RUN_TIMEOUT }, async () => {
			const before = world.targets.closed.silent;
			const ran = run(`${open('silent')}${failing('s.recv(1)')}\ns.close()`);
			await until(() => connected('silent'), 'the connection');
			await page.evaluate(() => /** @type {any} */ (globalThis).sockmux.uninstall());
			assert.match(await ran, /^OSError .*Network is down$/);
			await until(() => world.targets.closed.silent > before, 'the close at the target');
			await page.reload();
		});

		test('a page that is loaded again closes its connections', { timeout: START_TIMEOUT * 2 + RUN_TIMEOUT }, async () => {
			const before = world.targets.closed.silent;
			run(`${open('silent')}print(s.recv(1))`).catch(() => {}); // there is no answer
			await until(() => connected('silent'), 'the connection', START_TIMEOUT); // Python has started again
			await page.reload();
			assert.equal(await run('print(1)'), '1');
			await until(() => world.targets.closed.silent > before, 'the close');
		});

		test('a terminated worker closes its connections', { timeout: START_TIMEOUT + RUN_TIMEOUT }, async () => {
			const before = world.targets.closed.silent;
			run(`${open('silent')}print(s.recv(1))`).catch(() => {}); // the page is closed before there is an answer
			await until(() => connected('silent'), 'the connection', START_TIMEOUT); // Python has started again
			await page.evaluate(() => /** @type {any} */ (globalThis).worker.terminate());
			await until(() => world.targets.closed.silent > before, 'the close');
		});

		after(() => page?.context().close());
	});
}

test('in a page that is not isolated Python is as without sockmux, and the console has one line', { timeout: START_TIMEOUT }, async () => {
	const { startSite } = await import('./harness/site.js');
	const site = await startSite({ isolated: false, words: { SERVER: server.origin } });
	try {
		const page = await world.newPage();
		await page.goto(`${site.origin}/python.html#module`);
		assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).run('print(1 + 1)')), '2');
		await until(() => page.lines.some((line) => line.includes('sockmux: ')), 'the line');
		assert.match(page.lines.filter((line) => line.includes('sockmux: ')).join('\n'), /^warning: sockmux: this page is not cross-origin isolated, so the sockets of the Emscripten program in its worker cannot wait.*$/);
		await page.context().close();
	} finally {
		await site.stop();
	}
});
