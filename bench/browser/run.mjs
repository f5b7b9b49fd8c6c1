// Runs the browser benchmark: `make bench-browser`. Starts the peers and bin/sockmux, opens one Chromium, alternates native and
// sockmux in every round, and prints medians and ratios as a Markdown table.
//
//   node bench/browser/run.mjs [--rounds N] [--megabytes N] [--smoke]

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const { chromium } = createRequire(join(root, "e2e/package.json"))("playwright-core");

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    megabytes: { type: "string", default: "64" },
    smoke: { type: "boolean", default: false },
  },
});
const rounds = options.smoke ? 1 : Number(options.rounds);
const bytes = (options.smoke ? 4 : Number(options.megabytes)) * 1e6;
const streamCounts = options.smoke ? [1, 10] : [1, 10, 100];
const openCounts = options.smoke ? [10] : [1, 100];

const cleanups = [];

async function startPeers() {
  const peers = spawn(join(root, "bin/bench-peers"), { stdio: ["pipe", "pipe", "inherit"] });
  cleanups.push(() => peers.kill());
  const [line] = await once(createInterface(peers.stdout), "line");
  return JSON.parse(line);
}

/** Serves the page; the relay's and the server's addresses are filled in. */
async function startPage(server) {
  const page = createServer(async (request, response) => {
    const name = new URL(request.url, "http://page").pathname === "/page.js" ? "page.js" : "page.html";
    const text = await readFile(join(here, name), "utf8");
    response.setHeader("content-type", name.endsWith(".js") ? "text/javascript" : "text/html");
    response.end(text.replace("%SERVER%", server()));
  });
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  cleanups.push(() => page.close());
  return `http://127.0.0.1:${page.address().port}`;
}

async function startServer(origin, ports) {
  const listen = await freePort();
  const allowed = ["echo", "source", "sink"].flatMap((name) => ["--allow", `127.0.0.1:${ports[name]}`]);
  const server = spawn(
    join(root, "bin/sockmux"),
    ["--listen", `127.0.0.1:${listen}`, "--allow-origin", origin, "--log-level", "warn", "--max-streams", "2000", ...allowed],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  cleanups.push(() => server.kill());
  const base = `http://127.0.0.1:${listen}`;
  for (let tries = 0; ; tries++) {
    try {
      if ((await fetch(`${base}/healthz`)).ok) return base;
    } catch (error) {
      if (tries > 200) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function startChromium() {
  const profile = await mkdtemp(join(tmpdir(), "sockmux-bench-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  cleanups.push(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  });
  return context;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function row(name, unit, native, ours, digits = 1) {
  const a = median(native);
  const b = median(ours);
  const ratio = median(ours.map((value, i) => value / native[i]));
  console.log(`| ${name} | ${a.toFixed(digits)} ${unit} | ${b.toFixed(digits)} ${unit} | ${ratio.toFixed(2)} |`);
}

/** Runs one measurement in turn for both kinds, `rounds` times after one round that is not counted. */
async function alternate(page, method, argument) {
  const results = { native: [], sockmux: [] };
  for (let round = options.smoke ? 1 : 0; round <= rounds; round++) {
    for (const kind of ["native", "sockmux"]) {
      const value = await page.evaluate(([m, a]) => window.bench[m](a), [method, { ...argument, kind }]);
      if (round > 0) results[kind].push(Array.isArray(value) ? median(value) : value);
    }
  }
  return results;
}

async function main() {
  const ports = await startPeers();
  let base;
  const origin = await startPage(() => base);
  base = await startServer(origin, ports);
  const context = await startChromium();
  const page = await context.newPage();
  page.on("console", (message) => console.error(`page: ${message.text()}`));
  page.on("pageerror", (error) => console.error(`page: ${error}`));
  await page.goto(`${origin}/?relay=127.0.0.1:${ports.relay}`);
  await page.evaluate((port) => window.bench.firstEcho({ kind: "sockmux", port }), ports.echo);

  console.log(`\n${rounds} rounds, ${bytes / 1e6} MB each; native: one WebSocket per socket, plain relay, 32 KiB messages\n`);
  console.log("| measurement | native (median) | sockmux (median) | sockmux / native |\n|---|---|---|---|");
  for (const direction of ["down", "up"]) {
    for (const streams of streamCounts) {
      const port = direction === "down" ? ports.source : ports.sink;
      const { native, sockmux } = await alternate(page, "transfer", { direction, streams, port, bytes });
      row(`${direction}, ${streams} sockets`, "MB/s", native, sockmux);
    }
  }
  for (const streams of openCounts) {
    const { native, sockmux } = await alternate(page, "open", { streams, port: ports.echo });
    row(`open ${streams} at once`, "ms", native, sockmux);
  }
  const first = await alternate(page, "firstEcho", { port: ports.echo });
  row("open and first echo", "ms", first.native, first.sockmux);
  const echoes = await alternate(page, "echo", { port: ports.echo, rounds: options.smoke ? 10 : 200 });
  row("echo of 64 bytes", "ms", echoes.native, echoes.sockmux, 2);
}

try {
  await main();
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
