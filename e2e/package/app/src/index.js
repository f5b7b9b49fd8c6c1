// The user's code: the same for every bundler. The page's address says where the server is.
import { install, SocketError } from 'sockmux';

const asked = new URLSearchParams(location.search);
const sockmux = install({ url: asked.get('server'), worker: asked.has('worker') });
const target = `127.0.0.1:${asked.get('echo')}`;

try {
	const socket = sockmux.connect(target);
	const writer = socket.writable.getWriter();
	await writer.write('from a bundle');
	await writer.close();
	const text = await new Response(socket.readable).text();
	await socket.closed;
	const error = await sockmux.connect(`127.0.0.1:${asked.get('refused')}`).opened.catch((why) => why);
	globalThis.told = { text, refused: error instanceof SocketError && error.code };
} catch (error) {
	globalThis.told = { error: `${error}` };
}
