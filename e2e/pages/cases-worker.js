// Runs a C program in a classic worker: see cases.js. What it prints goes to the page.
/* global importScripts */

importScripts('cases-program.js');
const { options, address } = self.caseProgram(self.location.search, postMessage);
self.Module = { ...options, locateFile: (file) => address.replace(/[^/]*$/, file) };
importScripts(`${address}.js`);
