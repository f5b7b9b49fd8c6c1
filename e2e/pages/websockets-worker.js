// Runs rows of websockets-lines.js in a classic worker, behind the script of the server that its
// URL names, if it names one.
/* global importScripts, linesOf */

const server = new URLSearchParams(self.location.search).get('server');
if (server) {
	self.sockmux = { tunnel: 'websockets' };
	importScripts(`${server}/sockmux.js`);
}
importScripts('/websockets-lines.js');
onmessage = async ({ data }) => postMessage(await linesOf(...data));
postMessage('ready');
