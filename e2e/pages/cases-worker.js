// Runs a C program in a classic worker: see cases.js. What it prints goes to the page.
/* global importScripts */

importScripts('cases-program.js');
const { options, address } = self.caseProgram(self.location.search, postMessage);
// Its threads load it by itself.
const mainScriptUrlOrBlob = new URL(`${address}.js`, self.location.href).href;
self.Module = { ...options, mainScriptUrlOrBlob, locateFile: (file) => address.replace(/[^/]*$/, file) };
importScripts(`${address}.js`);
