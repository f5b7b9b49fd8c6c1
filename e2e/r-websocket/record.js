// Records what the programs say in desktop R with the package websocket itself:
//
//   node e2e/r-websocket/record.js LIBRARY [PROGRAM...]
//
// LIBRARY is a folder of R's that has the package, version 1.4.4.

import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startServices } from './services.js';

const run = promisify(execFile);
const [library, ...wanted] = process.argv.slice(2);
if (!library) throw new Error('the folder of the library is missing');

/** @param {string} path */
const at = (path) => new URL(path, import.meta.url);

const services = await startServices();
const ports = Object.entries(services.ports).map(([name, port]) => `${name} = ${port}L`).join(', ');
const prelude = await readFile(at('prelude.R'), 'utf8');
try {
	for (const file of await readdir(at('programs'))) {
		const name = file.replace(/\.R$/, '');
		if (wanted.length > 0 && !wanted.includes(name)) continue;
		const code = `.libPaths(c("${library}", .libPaths())); library(websocket); P <- list(${ports}); RUN_NOW <- later::run_now; CREATE_LOOP <- later::create_loop
${prelude}
writeLines(run_program(readChar("${at(`programs/${file}`).pathname}", 1e6)), "${at(`expected/${name}.txt`).pathname}")`;
		await run('Rscript', ['--vanilla', '-e', code], { env: { ...process.env, LC_ALL: 'C.UTF-8' }, timeout: 60_000 });
		console.log(name);
		console.log((await readFile(at(`expected/${name}.txt`), 'utf8')).replace(/^/gm, '    '));
	}
} finally {
	await services.stop();
}
