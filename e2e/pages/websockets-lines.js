// @ts-nocheck: much of it is given what WebSockets do not take.
// What programs see of a WebSocket, as lines: each row does one thing with the WebSockets of the
// place that it runs in. The test runs it with and without the layer and compares.

{
	const rows = {};

	/** The lines of one row. `base` is the server of e2e/harness/websocket-target.js. */
	globalThis.linesOf = async (name, base, id) => {
		const lines = [];
		try {
			await rows[name]({ base, at: (path) => `${base}/${path}?id=${id}`, log: (...words) => lines.push(words.join(' ')) });
		} catch (error) {
			lines.push(`threw ${error.name}`);
		}
		return lines;
	};
	globalThis.rowNames = () => Object.keys(rows);

	/** A turn later: behind all listeners of the event, whose order is not the same everywhere. */
	const turn = () => new Promise((resolve) => { setTimeout(resolve); });
	const kindOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
	const thrown = (act) => {
		try {
			return `gives ${act()}`;
		} catch (error) {
			return `throws ${error.constructor.name} ${error.name}`;
		}
	};
	const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
	const shown = async (data) => {
		if (typeof data === 'string') return `text ${data.length} ${JSON.stringify(data.slice(0, 40))}`;
		const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
		return `${kindOf(data)} ${bytes.byteLength} ${hex(bytes.slice(0, 20))}`;
	};

	/**
	 * Makes a WebSocket and logs its events, each with the state that a listener sees. What `on` has
	 * for an event runs behind its line. It returns at the close event.
	 */
	const life = async ({ log }, url, { protocols = [], type = 'arraybuffer', made = () => {}, on = {} } = {}) => {
		const ws = new WebSocket(url, protocols);
		ws.binaryType = type;
		const texts = [];
		let messages = 0;
		const ended = new Promise((resolve) => {
			for (const name of ['open', 'message', 'error', 'close']) {
				ws.addEventListener(name, (event) => {
					const at = texts.length;
					const line = [name, `state ${ws.readyState}`];
					if (name !== 'message') line.push(`buffered ${ws.bufferedAmount}`); // else the network decides
					if (name === 'open') line.push(`protocol "${ws.protocol}" extensions "${ws.extensions.replace(/permessage-deflate.*/, '')}"`);
					if (name === 'close') line.push(`${event.code} "${event.reason}" clean ${event.wasClean}`);
					line.push(kindOf(event), event.target === ws, event.bubbles, event.cancelable, event.composed);
					if (name === 'message') {
						line.push(`origin ${event.origin.replace(/\d+$/, 'PORT')} id "${event.lastEventId}" source ${event.source} ports ${event.ports.length}`);
						texts[at] = shown(event.data).then((data) => [...line, data].join(' '));
					} else texts[at] = line.join(' ');
					on[name]?.(ws, name === 'message' ? ++messages : event);
					if (name === 'close') resolve();
				});
			}
		});
		made(ws);
		await ended;
		await turn();
		for (const text of texts) log(await text);
		log('at the end', ws.readyState, ws.bufferedAmount, ws.protocol, ws.binaryType);
		return ws;
	};
	/** Sends one message at the open. */
	const spoken = (more = {}) => ({ on: { open: (ws) => ws.send('x'), ...more } });

	rows['the constructor'] = async ({ base, log }) => {
		for (const [name, act] of Object.entries({
			'no argument': () => new WebSocket(),
			'no new': () => WebSocket(base),
			'no URL': () => new WebSocket('ws://['),
			'no URL, with a space': () => new WebSocket('ws://a b/'),
			'ftp': () => new WebSocket('ftp://h/'),
			'mailto': () => new WebSocket('mailto:a@b'),
			'blob': () => new WebSocket('blob:null/1'),
			'fragment': () => new WebSocket(`${base}/echo#x`),
			'empty fragment': () => new WebSocket(`${base}/echo#`),
			'port out of range': () => new WebSocket('ws://127.0.0.1:65536/'),
			'a subprotocol twice': () => new WebSocket(base, ['a', 'a']),
			'subprotocols that differ by case': () => new WebSocket(base, ['a', 'A']),
			'a subprotocol with a space': () => new WebSocket(base, 'a b'),
			'an empty subprotocol': () => new WebSocket(base, ''),
			'a subprotocol that is no ASCII': () => new WebSocket(base, 'ä'),
			'a subprotocol with a comma': () => new WebSocket(base, ['a,b']),
			'null for subprotocols': () => new WebSocket(base, null),
			'a number for subprotocols': () => new WebSocket(base, 7),
			'undefined for subprotocols': () => new WebSocket(base, undefined),
			'an object for subprotocols': () => new WebSocket(base, {}),
			'a set of subprotocols': () => new WebSocket(base, new Set(['a', 'b'])),
			'a symbol': () => new WebSocket(Symbol('x')),
		})) {
			log(name, thrown(() => {
				const ws = act();
				const { url, readyState, protocol, extensions, bufferedAmount, binaryType } = ws;
				ws.onerror = ws.onclose = null;
				ws.close();
				return [url.replace(/:\d+/, ':PORT'), readyState, protocol, extensions, bufferedAmount, binaryType].join(' ');
			}));
		}
	};

	rows['URLs that mean the same server'] = async (given) => {
		const id = given.at('').split('?')[1];
		const { host, hostname, port } = new URL(given.base);
		const scheme = given.base.startsWith('wss') ? 'https' : 'http';
		for (const url of [`${scheme}://${host}/echo?${id}`, given.base.toUpperCase().replace('127.0.0.1', hostname) + `/echo?${id}`, ` ${given.base}/echo?${id} `, `${given.base.split(':')[0]}:127.1:${port}/a/../echo?${id}`, `${given.base}/echo?ä b&${id}`]) {
			given.log((await life(given, url, { on: { open: (ws) => ws.close() } })).url.replaceAll(port, 'PORT').replace(id, 'ID'));
		}
		given.log((await life(given, new URL(given.at('echo')), { on: { open: (ws) => ws.close() } })).url.replaceAll(port, 'PORT').replace(id, 'ID'));
	};

	rows['the class'] = async ({ base, log }) => {
		const ws = new WebSocket(`${base}/silent`);
		log(WebSocket.name, WebSocket.length, WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED);
		log(ws.CONNECTING, ws.OPEN, ws.CLOSING, ws.CLOSED, `${ws}`, ws instanceof WebSocket, ws instanceof EventTarget, ws.constructor === WebSocket);
		log(Object.keys(ws).join(), Object.getOwnPropertyNames(ws).join());
		const inherited = [];
		for (const key in ws) inherited.push(key);
		log(inherited.sort().join());
		for (const key of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol']) log(key, thrown(() => { 'use strict'; ws[key] = 1; return 'a value'; }));
		for (const value of ['blob', 'arraybuffer', 'text', '', null, 1, {}]) log('binaryType', `${value}`, thrown(() => ws.binaryType = value), ws.binaryType);
		for (const value of [() => {}, null, undefined, 1, 'x', {}, { handleEvent() {} }]) log('onmessage', typeof value, thrown(() => { ws.onmessage = value; return typeof ws.onmessage; }));
		log('send()', thrown(() => ws.send()), thrown(() => ws.send('x')), thrown(() => ws.send(new Blob(['x']))), ws.bufferedAmount);
		log('close', ws.close.length, 'send', ws.send.length);
		class Own extends WebSocket {
			get own() { return 'own'; }
		}
		const own = new Own(`${base}/silent`);
		log(own.own, own instanceof Own, own instanceof WebSocket, own.constructor === Own, own.readyState);
		ws.close();
		own.close();
		log(ws.readyState, own.readyState);
	};

	rows['close(): what throws'] = async (given) => {
		await life(given, given.at('echo'), {
			on: {
				open(ws) {
					for (const args of [[1001], [999], [0], [2999], [5000], [65536 + 3000], [-1], [NaN], ['abc'], [null], [1005], [1006], [1015], [3000, 'x'.repeat(124)], ['4000', 'ö'.repeat(62)]]) {
						given.log(JSON.stringify(args).slice(0, 30), thrown(() => ws.close(...args)), ws.readyState);
					}
					given.log(thrown(() => ws.close('3999', 'ö'.repeat(61))), ws.readyState);
				},
			},
		});
	};

	for (const [name, args] of Object.entries({ 'no argument': [], 'undefined': [undefined, undefined], '1000': [1000], '1000 and a reason': [1000, 'grüße'], '3000': [3000], '4999 and 123 bytes': [4999, 'x'.repeat(123)], 'a lone surrogate': [3000, 'a\ud800b'], 'null as reason': [3000, null] })) {
		rows[`close(): ${name}`] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { ws.close(...args); given.log(ws.readyState); } } });
	}
	rows['close() twice'] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { ws.close(3001, 'first'); ws.close(3002, 'second'); given.log(thrown(() => ws.close(1))); }, close: (ws) => given.log(thrown(() => ws.close(3003))) } });
	rows['close() while connecting'] = (given) => life(given, given.at('silent'), { made: (ws) => { ws.close(3001, 'no'); given.log(ws.readyState, ws.bufferedAmount); } });
	rows['close() in the handler of error'] = (given) => life(given, given.at('answer/SFRUUC8xLjEgNDA0IE5vdCBGb3VuZApDb250ZW50LUxlbmd0aDogMAoK'), { on: { error: (ws) => { ws.close(3001); given.log(ws.readyState); } } });
	rows['close() in the handler of message'] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { for (let i = 0; i < 5; i++) ws.send(`${i}`); }, message: (ws, nth) => { if (nth === 2) ws.close(4000, 'enough'); } } });
	rows['send() behind close()'] = (given) => life(given, given.at('echo'), {
		on: {
			open(ws) {
				ws.close();
				given.log(thrown(() => ws.send('abc')), ws.bufferedAmount, thrown(() => ws.send(new Blob(['xy']))), ws.bufferedAmount);
			},
			close: (ws) => given.log(thrown(() => ws.send(new Uint8Array(7))), ws.bufferedAmount),
		},
	});
	rows['messages before close() arrive'] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { ws.send('one'); ws.send(new Blob(['two'])); ws.send(new Uint8Array(3_000_000)); ws.close(3000, 'done'); } } });
	rows['a server that answers the close frame late'] = (given) => life(given, given.at('late/7000'), { on: { open: (ws) => ws.close(3000, 'waiting') } });

	const frames = {
		'a close frame without a code': 'close/',
		...Object.fromEntries([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999].map((code) => [`close code ${code}`, `close/${code.toString(16).padStart(4, '0')}77687900c3bc`])),
		...Object.fromEntries([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => [`the invalid close code ${code}`, `close/${code.toString(16).padStart(4, '0')}`])),
		'a close frame of one byte': 'close/03',
		'a close reason that is no UTF-8': 'close/0fa0fffe',
		'a close frame of 126 bytes': `raw/887e007e0fa0${'78'.repeat(124)}`,
		'a close frame in pieces': 'raw/08020fa0',
		'a message behind the close frame': 'raw/88020fa0810178',
		'the end of the connection': 'end/fin',
		'a reset of the connection': 'end/reset',
		'a message, then half a frame and the end': 'raw-end/81016181036162',
		'reserved bit 1': 'raw/c10178',
		'reserved bit 2': 'raw/a10178',
		'reserved bit 3': 'raw/910178',
		...Object.fromEntries([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((code) => [`the unknown opcode ${code}`, `raw/8${code.toString(16)}0178`])),
		'a ping in pieces': 'raw/090178',
		'a ping of 126 bytes': `raw/897e007e${'78'.repeat(126)}`,
		'a continuation of nothing': 'raw/800178',
		'a message in a message': 'raw/010178810178',
		'a masked text': 'raw/81810000000078',
		'a masked ping': 'raw/89810000000078',
		'a masked close frame': 'raw/8882000000000fa0',
		'a length with its highest bit': 'raw/827fffffffffffffffff00',
		'a text that is no UTF-8': 'raw/8102fffe',
		'a text that ends inside a character': 'raw/8101c3',
		'a text that is no UTF-8, in pieces': 'raw/0101c3800128',
		'half a head and the end': 'raw-end/81',
		'a good message, then a wrong one': 'raw/810161c10178',
	};
	for (const [name, path] of Object.entries(frames)) rows[`the server sends: ${name}`] = (given) => life(given, given.at(path), spoken());

	const good = {
		'an empty text and empty bytes': '81008200',
		'a text with a mark of the byte order': '8104efbbbf61',
		'a text with a character of four bytes': '8104f09f9880',
		'a message in pieces with pings between them': '010161890370316e0001628903702d6e8002c3a9',
		'a character in two pieces': '0101c38001bc',
		'empty pieces': '010000000000800161',
		'a pong that was not asked for': '8a0178810161',
		'lengths in longer forms than they need': '817e000161827f000000000000000162',
		'125 bytes': `827d${'00'.repeat(125)}`,
		'126 bytes': `827e007e${'00'.repeat(126)}`,
		'a NUL in a text': '8103610062',
	};
	for (const [name, bytes] of Object.entries(good)) {
		for (const type of ['arraybuffer', 'blob']) {
			rows[`the server sends: ${name}, then closes, as ${type}`] = (given) => life(given, given.at(`raw-close/${bytes}`), { type, ...spoken() });
		}
	}

	const answer = (lines, more = '') => `answer/${btoa(`HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: KEY\n${lines}\n${more}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
	const raw = (text) => `answer/${btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
	const handshakes = {
		'the first subprotocol': [answer('Sec-WebSocket-Protocol: a\n'), ['a', 'b']],
		'the second subprotocol': [answer('Sec-WebSocket-Protocol: b\n'), ['a', 'b']],
		'none of the subprotocols': [answer(''), ['a', 'b']],
		'another subprotocol': [answer('Sec-WebSocket-Protocol: c\n'), ['a', 'b']],
		'a subprotocol in another case': [answer('Sec-WebSocket-Protocol: A\n'), ['a', 'b']],
		'two subprotocols': [answer('Sec-WebSocket-Protocol: a\nSec-WebSocket-Protocol: b\n'), ['a', 'b']],
		'two subprotocols in one line': [answer('Sec-WebSocket-Protocol: a, b\n'), ['a', 'b']],
		'an empty subprotocol': [answer('Sec-WebSocket-Protocol: \n'), ['a', 'b']],
		'a subprotocol that was not asked for': [answer('Sec-WebSocket-Protocol: a\n'), []],
		'an extension that was not offered': [answer('Sec-WebSocket-Extensions: x-unknown\n'), []],
		'an upgrade in capitals': [raw('HTTP/1.1 101 OK\nUPGRADE: WebSocket\nCONNECTION: keep-alive, UPGRADE\nSEC-WEBSOCKET-ACCEPT: KEY\n\n'), []],
		'another upgrade': [raw('HTTP/1.1 101 OK\nUpgrade: h2c\nConnection: Upgrade\nSec-WebSocket-Accept: KEY\n\n'), []],
		'no upgrade': [raw('HTTP/1.1 101 OK\nConnection: Upgrade\nSec-WebSocket-Accept: KEY\n\n'), []],
		'no connection header': [raw('HTTP/1.1 101 OK\nUpgrade: websocket\nSec-WebSocket-Accept: KEY\n\n'), []],
		'no accept': [raw('HTTP/1.1 101 OK\nUpgrade: websocket\nConnection: Upgrade\n\n'), []],
		'a wrong accept': [raw('HTTP/1.1 101 OK\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n'), []],
		'two accepts': [answer('Sec-WebSocket-Accept: KEY\n'), []],
		'status 200': [raw('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'), []],
		'status 302': [raw('HTTP/1.1 302 Found\nLocation: /echo\nContent-Length: 0\n\n'), []],
		'status 401': [raw('HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm="x"\nContent-Length: 0\n\n'), []],
		'status 503': [raw('HTTP/1.1 503 Service Unavailable\nContent-Length: 0\n\n'), []],
		'no HTTP': [raw('SSH-2.0-x\n'), []],
		'nothing': [raw(''), []],
		'a frame right behind it': [answer('', '\x81\x01a\x88\x02\x0f\xa1').replace('answer', 'answer-close'), []],
		'a wrong frame right behind it': [answer('', '\xc1\x01a'), []],
	};
	for (const [name, [path, protocols]] of Object.entries(handshakes)) rows[`the server answers: ${name}`] = (given) => life(given, given.at(path), { protocols, on: { open: (ws) => ws.close(3000) } });

	rows['what send() takes'] = async (given) => {
		const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
		const things = ['', 'grüße 😀', 'a\ud800b', 7, null, undefined, true, {}, [1, 2], bytes, bytes.subarray(2, 5), bytes.buffer, new DataView(bytes.buffer, 1, 3), new Float64Array([1.5]), new ArrayBuffer(0), new Blob(['blob']), new Blob([]), 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65_535), 'x'.repeat(65_536), new Uint8Array(100_000)];
		await life(given, given.at('echo'), {
			on: {
				open(ws) {
					for (const thing of things) given.log(kindOf(thing), thrown(() => ws.send(thing)), ws.bufferedAmount);
					bytes.fill(9); // it was copied
				},
				message(ws, nth) { if (nth === things.length) ws.close(); },
			},
		});
	};
	rows['what send() refuses'] = async (given) => {
		await life(given, given.at('echo'), {
			on: {
				open(ws) {
					given.log(thrown(() => ws.send()), thrown(() => ws.send(Symbol('x'))), thrown(() => ws.send({ toString() { throw new RangeError('x'); } })));
					const gone = new ArrayBuffer(4);
					structuredClone(gone, { transfer: [gone] });
					given.log(thrown(() => ws.send(gone)));
					ws.close();
				},
			},
		});
	};
	rows['a blob that is slow to read keeps its place'] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { ws.send(new Blob([new Uint8Array(2_000_000), 'x'])); ws.send('behind'); ws.send(new Uint8Array([1])); }, message: (ws, nth) => { if (nth === 3) ws.close(); } } });
	rows['binaryType changes between messages'] = (given) => life(given, given.at('echo'), { on: { open: (ws) => { for (let i = 0; i < 3; i++) ws.send(new Uint8Array([i])); }, message: (ws, nth) => { if (nth === 3) ws.close(); else ws.binaryType = nth === 1 ? 'blob' : 'arraybuffer'; } } });

	rows['listeners and handlers'] = async (given) => {
		const ws = new WebSocket(given.at('raw/810161810162810163810164810165'));
		const { log } = given;
		const ended = new Promise((resolve) => { ws.addEventListener('close', resolve); });
		let nth = 0;
		const gone = () => log('gone?');
		ws.addEventListener('message', gone);
		ws.removeEventListener('message', gone);
		ws.onmessage = () => log('first handler');
		ws.addEventListener('message', ({ data }) => log('listener', data));
		ws.addEventListener('message', { handleEvent({ type }) { log('object', type, this !== ws); } });
		ws.addEventListener('message', () => log('once'), { once: true });
		ws.onmessage = function handler(event) {
			log('second handler', event.data, this === ws, event.currentTarget === ws, event.eventPhase);
			event.preventDefault();
			log(event.defaultPrevented);
			if (event.data === 'b') event.stopImmediatePropagation();
			return false;
		};
		ws.addEventListener('message', () => {
			nth++;
			if (nth === 2) ws.onmessage = null;
			if (nth === 4) ws.close(3000);
		});
		ws.onopen = () => {
			const event = new MessageEvent('message', { data: 'own' });
			log('dispatch', ws.dispatchEvent(event));
			ws.send('x');
		};
		const aborted = new AbortController();
		ws.addEventListener('open', () => log('aborted?'), { signal: aborted.signal });
		aborted.abort();
		await ended;
	};
	rows['a handler that throws'] = async (given) => {
		const { log } = given;
		const errors = [];
		const note = (event) => {
			errors.push(event.message.replace(/^Uncaught /, ''));
			event.preventDefault();
		};
		self.addEventListener('error', note);
		await life(given, given.at('echo'), {
			made(ws) {
				for (const name of ['open', 'message', 'close']) ws[`on${name}`] = () => { throw new Error(`in ${name}`); };
			},
			on: { open: (ws) => ws.send('x'), message: (ws) => ws.close() },
		});
		await turn();
		self.removeEventListener('error', note);
		log(errors.join(', '));
	};
	rows['a turn of its own for each event'] = async ({ at, log }) => {
		const ws = new WebSocket(at('raw-close/810161810162810163'));
		const ended = new Promise((resolve) => { ws.onclose = resolve; });
		for (const name of ['open', 'message', 'close']) {
			ws.addEventListener(name, ({ data }) => {
				log(name, data, ws.readyState);
				queueMicrotask(() => log('microtask', name, data, ws.readyState));
				if (name === 'open') ws.send('x');
			});
		}
		await ended;
		await turn();
	};

	rows['64 MB in one message, there and back'] = async (given) => {
		const big = new Uint8Array(64_000_000);
		for (let i = 0; i < big.length; i += 997) big[i] = i;
		await life(given, given.at('echo'), {
			on: { open: (ws) => { ws.send(big); given.log(ws.bufferedAmount); }, message: (ws) => ws.close() },
			made: (ws) => ws.addEventListener('message', ({ data }) => {
				const got = new Uint8Array(data);
				let same = got.length === big.length;
				for (let i = 0; i < big.length; i += 997) same &&= got[i] === big[i];
				given.log(same);
			}),
		});
	};
	rows['64 MB in many messages to the page'] = async ({ at, log }) => {
		const ws = new WebSocket(at('count/1000/64000'));
		ws.binaryType = 'arraybuffer';
		let [messages, bytes] = [0, 0];
		ws.onopen = () => ws.send('go');
		ws.onmessage = ({ data }) => {
			bytes += data.byteLength;
			if (++messages === 1000) ws.close();
		};
		await new Promise((resolve) => { ws.onclose = resolve; });
		log(messages, bytes);
	};
	rows['64 MB in many messages to the server'] = async ({ at, log }) => {
		const ws = new WebSocket(at('count/0/0'));
		ws.onopen = () => {
			for (let i = 0; i < 1000; i++) ws.send(new Uint8Array(64_000).fill(i));
			log(ws.bufferedAmount);
			ws.close(3000);
		};
		const { code, wasClean } = await new Promise((resolve) => { ws.onclose = resolve; });
		log(code, wasClean, ws.bufferedAmount);
	};
}
