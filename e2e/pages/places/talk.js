// What each place does with its sockets. A classic script and a module alike leave it in
// the global object.

/**
 * @param {any} sockmux
 * @param {{ echo: number, refused: number, halfclose: number, http: number }} ports
 */
globalThis.talk = async (sockmux, { echo, refused, halfclose, http }) => {
	const ask = async (socket, text) => {
		const writer = socket.writable.getWriter();
		await writer.write(text);
		await writer.close();
		const answer = await new Response(socket.readable).text();
		await socket.closed;
		return answer;
	};
	const tcp = new sockmux.TCPSocket('127.0.0.1', echo);
	const opened = await tcp.opened;
	const error = await sockmux.connect(`127.0.0.1:${refused}`).opened.catch((why) => why);
	const facade = await new Promise((resolve) => {
		const socket = new WebSocket(`ws://127.0.0.1:${echo}/`, 'binary');
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => socket.send('by the constructor');
		socket.onmessage = ({ data }) => {
			resolve(new TextDecoder().decode(data));
			socket.close();
		};
		socket.onclose = ({ code }) => resolve(code);
	});
	return {
		connect: await ask(sockmux.connect(`127.0.0.1:${echo}`), 'by connect'),
		halfclose: await ask(sockmux.connect('127.0.0.1', halfclose), 'behind its end'),
		tcp: await ask({ ...opened, closed: tcp.closed, writable: bytesOf(opened.writable) }, 'by TCPSocket'),
		error: [error instanceof sockmux.SocketError, error.code, error.errno],
		facade,
		fetch: await sockmux.fetch(`http://127.0.0.1:${http}/status?code=200`).then((response) => response.text(), ({ name }) => name),
		state: sockmux.status.state,
	};
};

/** TCPSocket takes bytes only. */
const bytesOf = (writable) => ({
	getWriter() {
		const writer = writable.getWriter();
		return { write: (text) => writer.write(new TextEncoder().encode(text)), close: () => writer.close() };
	},
});
