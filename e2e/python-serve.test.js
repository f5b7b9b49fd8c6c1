// Servers in Python (Pyodide from npm) in a dedicated worker, with the script tag in the page:
// docs/PYTHON.md.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, talk } from './harness/ports.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';

const exec = promisify(execFile);

/** What one script may take on a busy machine; one that hangs fails by it. */
const RUN_TIMEOUT = 120_000;

const world = suite({ flags: () => ['--allow-listen', '127.0.0.1:1024-65535'] });

/** A server that is asked by talk(). @type {Record<string, (port: number) => string>} */
const TALKING = {
	'a socket: accept(), select() on the listener, half-close': (port) => `import socket, select
idle = socket.create_server(("127.0.0.1", 0))
idle.settimeout(0.1)
try: idle.accept()
except TimeoutError: print("TimeoutError")
idle.close()
s = socket.create_server(("127.0.0.1", ${port}))
print(select.select([s], [], [], 100)[0] == [s])
c, peer = s.accept()
print(c.getsockname()[1] == ${port}, peer == c.getpeername(), c.gettimeout())
c.sendall(c.makefile("rb").read()); c.close(); s.close()`,
	'socketserver': (port) => `import socketserver
class Echo(socketserver.StreamRequestHandler):
  def handle(self): self.wfile.write(self.rfile.read())
with socketserver.TCPServer(("127.0.0.1", ${port}), Echo) as server: server.handle_request()
print("served")`,
	'asyncio with a loop of its own': (port) => `# no task
import asyncio
class Loop(asyncio.SelectorEventLoop):
  def _make_self_pipe(self): pass
  def _close_self_pipe(self): pass
outer = asyncio._get_running_loop()
asyncio._set_running_loop(None)
async def main():
  done = asyncio.Event()
  async def serve(reader, writer):
    writer.write(await reader.read()); await writer.drain(); writer.close(); done.set()
  server = await asyncio.start_server(serve, "127.0.0.1", ${port}, reuse_address=False)
  await done.wait(); server.close(); await asyncio.sleep(0)
try:
  with asyncio.Runner(loop_factory=Loop) as runner: runner.run(main())
finally: asyncio._set_running_loop(outer)
print("served")`,
};

/** @type {Record<string, string>} */
const PRINTED = { 'a socket: accept(), select() on the listener, half-close': 'TimeoutError\nTrue\nTrue True None' };

describe('servers in Python', () => {
	/** @type {import('./harness/suite.js').TestPage} */
	let page;
	const run = (/** @type {string} */ code) => page.evaluate((text) => /** @type {any} */ (globalThis).run(text), code);

	test('starts', { timeout: RUN_TIMEOUT }, async () => {
		page = await world.newPage();
		await page.addInitScript(() => {
			/** @type {any} */ (globalThis).sockmux = { listen: true };
		});
		await page.goto(`${world.site.origin}/python.html#module`);
		assert.equal(await run('print(1 + 1)'), '2');
	});

	for (const [name, code] of Object.entries(TALKING)) {
		test(name, { timeout: RUN_TIMEOUT }, async () => {
			const port = await freePort();
			const ran = run(code(port));
			assert.equal(await until(() => talk(port, 'hello'), 'the answer', RUN_TIMEOUT), 'hello');
			assert.equal(await ran, PRINTED[name] ?? 'served');
		});
	}

	test('http.server answers curl until it is interrupted', { timeout: RUN_TIMEOUT }, async () => {
		const port = await freePort();
		const ran = run(`import http.server
class Hello(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    body = f"hello from Python: {self.path}".encode()
    self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
  def log_message(self, *_): pass
with http.server.HTTPServer(("127.0.0.1", ${port}), Hello) as server:
  try: server.serve_forever()
  except KeyboardInterrupt: print("interrupted")`);
		const curl = (/** @type {string} */ path) => exec('curl', ['-sS', '--max-time', '60', '--retry', '60', '--retry-connrefused', '--retry-delay', '1', `http://127.0.0.1:${port}${path}`]);
		for (const path of ['/one', '/two']) assert.equal((await curl(path)).stdout, `hello from Python: ${path}`);
		const all = await Promise.all(['/a', '/b', '/c', '/d'].map(curl));
		assert.deepEqual(all.map(({ stdout }) => stdout), ['/a', '/b', '/c', '/d'].map((path) => `hello from Python: ${path}`));
		await page.evaluate(() => /** @type {any} */ (globalThis).interrupt());
		assert.equal(await ran, 'interrupted');
		await until(() => talk(port, 'x').then((answer) => answer === null), 'the port is free');
	});

	test('a port that is in use', { timeout: RUN_TIMEOUT }, async () => {
		assert.equal(await run(`import socket, os
one = socket.create_server(("127.0.0.1", 0))
port = one.getsockname()[1]; print(port > 0)
try: socket.create_server(("127.0.0.1", port))
except OSError as e: print(os.strerror(e.errno))
one.close()`), 'True\nAddress in use');
	});

	after(() => page?.context().close());
});
