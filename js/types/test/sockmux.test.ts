// What the types say to a user's program. tsc checks it, and nothing runs it.

import { expectTypeOf } from 'expect-type';
import { ConfigError, install, SocketError } from 'sockmux';
import type { Code, Match, Names, Options, Server, Sockmux, Socket, SocketInfo, Stats, Status, TCPServerSocket, TCPSocket, WebSocketClass } from 'sockmux';
import { install as installInServiceWorker } from 'sockmux/service-worker';
import 'sockmux/sockmux.js';

declare const token: string | undefined;
declare const anyWebSocket: WebSocketClass;

// Settings that are undefined have their defaults, also under exactOptionalPropertyTypes.
const sockmux = install({ url: 'https://tunnel.example.org/', token, WebSocket: anyWebSocket, log: console, wasm: new URL('file:///sockmux.wasm') });
expectTypeOf(sockmux).toEqualTypeOf<Sockmux>();
expectTypeOf(install).parameter(0).toEqualTypeOf<Options | undefined>();
expectTypeOf(installInServiceWorker).toEqualTypeOf<typeof install>();
expectTypeOf<Match>().toExtend<Options['match']>();
install();
install({ match: ['*.example.org:*', 'public'], load: 'lazy' });
install({ match: (url) => (url.includes('db') ? { host: 'db.example', port: 5432 } : false) });
// @ts-expect-error -- there is no such option
install({ uri: 'https://tunnel.example.org/' });
// @ts-expect-error -- a number of seconds
install({ timeout: '5' });

// connect() in the shape of WinterTC's sockets API.
const socket = sockmux.connect('db.example:5432', { allowHalfOpen: true, secureTransport: 'off', signal: new AbortController().signal });
expectTypeOf(socket).toEqualTypeOf<Socket>();
expectTypeOf(socket.opened).resolves.toEqualTypeOf<SocketInfo>();
expectTypeOf<SocketInfo['remoteAddress']>().toEqualTypeOf<string | null>();
expectTypeOf(socket.closed).resolves.toEqualTypeOf<void>();
expectTypeOf(socket.close()).resolves.toEqualTypeOf<void>();
expectTypeOf(socket.readable).toEqualTypeOf<ReadableStream<Uint8Array<ArrayBuffer>>>();
expectTypeOf(socket[Symbol.asyncDispose]).returns.resolves.toEqualTypeOf<void>();
sockmux.connect('db.example:5432', { secureTransport: 'on', tls: { sni: 'db', alpn: ['postgresql'], roots: ['PEM'], pins: ['sha256/x'] } });
expectTypeOf(socket.startTls({ onlyRoots: true })).toEqualTypeOf<Socket>();
expectTypeOf(sockmux.fetch('https://h/', { method: 'POST', body: 'b', sockmux: { allHeaders: true, pins: [] } })).resolves.toEqualTypeOf<Response>();
// @ts-expect-error -- there is no such option
void sockmux.fetch('https://h/', { sockmux: { headers: true } });
sockmux.connect({ hostname: '2001:db8::7', port: 443 }, { timeout: undefined, family: 6 });
sockmux.connect('db.example', 5432, { noDelay: true, keepAliveDelay: 60_000 });
// @ts-expect-error -- the name is hostname
sockmux.connect({ host: 'db.example', port: 5432 });
// @ts-expect-error -- a port is a number
sockmux.connect('db.example', '5432');
// @ts-expect-error -- neither 4 nor 6
sockmux.connect('db.example:5432', { family: 5 });

export async function use(): Promise<void> {
	const writer = socket.writable.getWriter();
	await writer.write('text');
	await writer.write(new Uint8Array(3));
	// @ts-expect-error -- no bytes and no text
	await writer.write(5);
	await using own = sockmux.connect('db.example:5432');
	for await (const bytes of own.readable) expectTypeOf(bytes).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
	try {
		await own.opened;
	} catch (error) {
		if (!(error instanceof SocketError)) throw error;
		expectTypeOf(error.code).toEqualTypeOf<Code>();
		expectTypeOf<'refused'>().toExtend<Code>();
		expectTypeOf(error.errno).toBeNumber();
		// @ts-expect-error -- there is no such code
		if (error.code === 'ECONNREFUSED') return;
	}
}

// TCPSocket in the shape of Direct Sockets.
const tcp = new sockmux.TCPSocket('db.example', 5432, { noDelay: true, dnsQueryType: 'ipv6' });
expectTypeOf(tcp).toEqualTypeOf<TCPSocket>();
expectTypeOf(tcp.opened).resolves.toHaveProperty('remotePort').toEqualTypeOf<number | null>();

// Listening.
const server = sockmux.listen('localhost', 8000, { backlog: 5, family: 4, allowHalfOpen: false, signal: new AbortController().signal });
expectTypeOf(server).resolves.toEqualTypeOf<Server>();
expectTypeOf<Server['readable']>().toEqualTypeOf<ReadableStream<Socket>>();
expectTypeOf<Server['localAddress']>().toEqualTypeOf<string | null>();
// @ts-expect-error -- a port is a number
void sockmux.listen('localhost', '8000');
const tcpServer = new sockmux.TCPServerSocket('::', { localPort: 8000, backlog: 5, ipv6Only: true });
expectTypeOf(tcpServer).toEqualTypeOf<TCPServerSocket>();
expectTypeOf(tcpServer.opened).resolves.toHaveProperty('readable').toEqualTypeOf<ReadableStream<TCPSocket>>();
expectTypeOf(tcpServer.opened).resolves.toHaveProperty('localPort').toEqualTypeOf<number | null>();
expectTypeOf(tcpServer.close()).resolves.toEqualTypeOf<void>();
// @ts-expect-error -- the address comes first
new sockmux.TCPServerSocket({ localPort: 8000 });

expectTypeOf(sockmux.status).toEqualTypeOf<Status>();
expectTypeOf(sockmux.stats()).toEqualTypeOf<Stats>();
expectTypeOf(sockmux.resolve('db.example')).resolves.toEqualTypeOf<Names>();
sockmux.on('streamend', (stream) => expectTypeOf(stream.target).toBeString()).off('state', () => {});
// @ts-expect-error -- there is no such event
sockmux.on('open', () => {});
expectTypeOf(ConfigError).instance.toExtend<Error>();
expectTypeOf(SocketError).instance.toExtend<TypeError>();
expectTypeOf(globalThis.sockmux).toEqualTypeOf<Sockmux | Options | undefined>();
