// Runs a C program in a module worker: see cases.js. What it prints goes to the page.

import './cases-program.js';

const { options, address } = self.caseProgram(self.location.search, postMessage);
const { default: create } = await import(`./${address}.mjs`);
await create(options);
