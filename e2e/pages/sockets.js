// What the tests do with WebSockets in a page, as text answers: bytes travel between page
// and test as strings.

/** Opens a socket, records its events and gives the means to wait for them. */
globalThis.openSocket = (url, protocols) => {
	const socket = new WebSocket(url, protocols);
	socket.binaryType = 'arraybuffer';
	const events = [];
	const waiting = [];
	const note = (event) => {
		events.push(event);
		for (const look of waiting.splice(0)) look();
	};
	socket.addEventListener('open', () => note({ type: 'open', protocol: socket.protocol, readyState: socket.readyState }));
	socket.addEventListener('message', ({ data }) => note({ type: 'message', data: typeof data === 'string' ? data : new TextDecoder('latin1').decode(data), binary: data instanceof ArrayBuffer }));
	socket.addEventListener('error', () => note({ type: 'error', readyState: socket.readyState }));
	socket.addEventListener('close', ({ code, reason, wasClean }) => note({ type: 'close', code, reason, wasClean, readyState: socket.readyState }));
	const until = async (done) => {
		while (!done()) await new Promise((resolve) => { waiting.push(resolve); });
	};
	const text = () => events.filter(({ type }) => type === 'message').map(({ data }) => data).join('');
	return {
		socket,
		events,
		text,
		opened: () => until(() => events.some(({ type }) => type === 'open' || type === 'close')),
		closed: async () => {
			await until(() => events.some(({ type }) => type === 'close'));
			return events;
		},
		received: (length) => until(() => text().length >= length || events.some(({ type }) => type === 'close')),
	};
};

/** Sends text to a service that sends it back, and closes: the whole life of a socket. */
globalThis.echo = async (url, protocols, message) => {
	const open = globalThis.openSocket(url, protocols);
	await open.opened();
	if (open.socket.readyState === 1) open.socket.send(message);
	await open.received(message.length);
	open.socket.close();
	await open.closed();
	return { text: open.text(), events: open.events.map(({ type }) => type), protocol: open.events[0].protocol, last: open.events.at(-1) };
};
