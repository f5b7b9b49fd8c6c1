// A client in Node: node client.js SERVER ECHO REFUSED HALFCLOSE. Nothing in it ends the process.
import { install, SocketError } from 'sockmux';
import WebSocket from 'ws';

const [server, echo, refused, halfclose] = process.argv.slice(2);
const sockmux = install({ url: server, WebSocket });

async function ask(port, text) {
	const socket = sockmux.connect(`127.0.0.1:${port}`, { allowHalfOpen: true });
	const { remoteAddress } = await socket.opened;
	const writer = socket.writable.getWriter();
	await writer.write(text);
	await writer.close();
	const answer = await new Response(socket.readable).text();
	await socket.closed;
	return [answer.length > 100 ? answer === text : answer, remoteAddress];
}

const told = {
	global: 'sockmux' in globalThis,
	echo: await ask(echo, 'both ways'),
	bulk: await ask(echo, 'a megabyte '.repeat(100_000)),
	halfclose: await ask(halfclose, 'behind its end'),
	refused: await sockmux.connect(`127.0.0.1:${refused}`).opened.catch((error) => [error instanceof SocketError, error.code, error.errno]),
	addresses: (await sockmux.resolve('localhost').catch((error) => error)).addresses ?? 'denied',
	state: sockmux.status.state,
};
// The connection ends behind the last socket, and the next socket has one again.
await new Promise((resolve) => {
	const rested = ({ state }) => state === 'idle' && resolve(sockmux.off('state', rested));
	sockmux.on('state', rested);
});
told.again = await ask(echo, 'again');
console.log(JSON.stringify(told));
