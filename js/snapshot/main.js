// Makes a snapshot: node js/snapshot/main.js IN OUT

import { readFileSync, writeFileSync } from 'node:fs';
import { snapshot } from './snapshot.js';

const [from, to] = process.argv.slice(2);
try {
	writeFileSync(to, await snapshot(readFileSync(from)));
} catch (error) {
	console.error(`snapshot: ${from}: ${error instanceof Error ? error.message : error}`);
	process.exitCode = 1;
}
