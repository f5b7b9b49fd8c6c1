// As websockets-worker.js, in a module worker.
/* global linesOf */

const server = new URLSearchParams(self.location.search).get('server');
if (server) (await import(`${server}/sockmux.mjs`)).install({ tunnel: 'websockets' });
await import('/websockets-lines.js');
onmessage = async ({ data }) => postMessage(await linesOf(...data));
postMessage('ready');
