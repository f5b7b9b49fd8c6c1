// Types of sockmux: of the module (import { install } from 'sockmux') and of the global `sockmux` that the classic script leaves.

/// <reference lib="esnext.disposable" />

/** The names of the codes, in the order of their numbers. */
export type Code =
	| 'ok'
	| 'refused'
	| 'host_unreachable'
	| 'network_unreachable'
	| 'timed_out'
	| 'name_not_found'
	| 'denied'
	| 'limit'
	| 'reset'
	| 'aborted'
	| 'idle'
	| 'name_failed'
	| 'address_not_available'
	| 'invalid_request'
	| 'unsupported_kind'
	| 'unsupported_option'
	| 'unsupported_version'
	| 'protocol'
	| 'unauthorized'
	| 'expired'
	| 'draining'
	| 'session_lost'
	| 'unknown_session'
	| 'internal'
	| 'fake_address'
	| 'not_connected'
	| 'address_in_use';

/** Why a socket or the connection ended: docs/PROTOCOL.md, section 7. */
export interface Ending {
	code: number;
	/** Such as "refused". */
	name: Code;
	/** Emscripten's number; 0 for ok. */
	errno: number;
	/** Close code of the WebSocket that the program sees. */
	closeCode: number;
	/** For people. */
	text: string;
}

export interface Target {
	host: string;
	port: number;
}

/** true: tunnelled, the target is read from the URL; a target: tunnelled to it; anything else: the native WebSocket. */
export type MatchFunction = (url: string, protocols: unknown) => boolean | Target | null | undefined;

/**
 * Which constructions of a WebSocket are tunnelled.
 * - 'sockfs' (default): ws(s)://host:port/ with the subprotocol "binary", as Emscripten's SOCKFS makes them;
 * - 'programs': the same, of programs only: what the page's own code makes stays native;
 * - 'all-binary': every URL, if the subprotocol is "binary";
 * - 'none': none;
 * - patterns, as the server's --allow takes them, in one string or a list: as 'sockfs', if one of them fits;
 * - a function: what it says.
 */
export type Match = 'sockfs' | 'programs' | 'all-binary' | 'none' | (string & {}) | readonly string[] | MatchFunction;

/**
 * Settings. A key that is undefined has its default. Any other key is a ConfigError, which has the nearest right name.
 * Node has url, token, optimistic, timeout, load, wasm, WebSocket and log.
 */
export interface Options {
	/** URL of the server: https:, http:, wss: or ws:. Default: where the script came from; the npm package has no default. */
	url?: string | undefined;
	match?: Match | undefined;
	/** Sockets count as open before the server has answered: one round trip less; a refusal shows after the open. Default: false. */
	optimistic?: boolean | undefined;
	/** Seconds that opening a socket may take. Default: as long as the server takes. */
	timeout?: number | undefined;
	/**
	 * URL of the folder with the other files of the build. Default: assets/ beside the script. In the npm package:
	 * where dist/assets is served, if the bundler does not do that.
	 */
	assets?: string | undefined;
	/** URL of sockmux.wasm. Default: the one that was built with the script. In Node also a path. */
	wasm?: string | URL | undefined;
	/** SRI string of that file. */
	integrity?: string | undefined;
	/** Whether the wasm is loaded at once or with the first socket. Default: 'eager', in Node 'lazy'. */
	load?: 'eager' | 'lazy' | undefined;
	/** Run the tunnel in a dedicated worker, away from the page's own work. Everything else stays the same. Default: false. */
	worker?: boolean | undefined;
	/**
	 * 'websockets' carries the page's WebSockets too: the server opens each that is neither a socket of a program nor
	 * to the page's own origin. Default: 'sockets'.
	 */
	tunnel?: 'sockets' | 'websockets' | undefined;
	/** Help webR's workers. Default: true. */
	webr?: boolean | undefined;
	/** Help Emscripten programs in this thread. Default: true. */
	sockfs?: boolean | undefined;
	/** Help Emscripten programs in dedicated workers, where the page is cross-origin isolated. Default: true. */
	blocking?: boolean | undefined;
	/** Let Emscripten programs and R listen at the server, which must allow it (--allow-listen). Default: false. */
	listen?: boolean | undefined;
	/** Credential for the server. */
	token?: string | undefined;
	/** In Node: the class of the connection to the server, such as that of the package ws. Default: globalThis.WebSocket, which Node has from version 22. */
	WebSocket?: WebSocketClass | undefined;
	/** In Node: where warnings go, such as console. Default: nowhere. */
	log?: Log | undefined;
}

/** A WebSocket class with the interface of the web's. */
export type WebSocketClass = new (url: string, protocols: string) => {
	binaryType: string;
	readonly readyState: number;
	readonly bufferedAmount: number;
	close(code?: number, reason?: string): void;
};

export interface Log {
	error(line: string): void;
	warn(line: string): void;
	info(line: string): void;
}

export type State = 'idle' | 'loading' | 'connecting' | 'open' | 'resuming' | 'closed' | 'failed';

export interface Failure extends Ending {
	target: string;
	/** Milliseconds since 1970. */
	at: number;
}

export interface Status {
	state: State;
	/** Since when, in milliseconds since 1970. */
	since: number;
	/** How many times in a row the connection has been tried. */
	attempt: number;
	/** Why it is not open. */
	reason: Ending | null;
	/** The socket that failed last. */
	lastError: Failure | null;
}

export interface StreamStats {
	id: number;
	/** host:port */
	target: string;
	state: 'connecting' | 'open' | 'closing' | 'closed';
	bytesIn: number;
	bytesOut: number;
	/** From the request to the server's answer. */
	connectMs: number | null;
	startedAt: number;
	closedAt: number | null;
	/** null while it lives. */
	code: number | null;
	/** Of the code; empty while it lives. */
	name: Code | '';
	text: string;
}

export interface Stats {
	url: string;
	rttMs: number | null;
	bytesIn: number;
	bytesOut: number;
	messagesIn: number;
	messagesOut: number;
	/** Bytes sent that the server has not acknowledged. */
	unacknowledged: number;
	/** Sockets since the page was loaded. */
	opened: number;
	/** Those that live and the last hundred that have ended, oldest first. */
	streams: StreamStats[];
}

export interface Notice extends Ending {
	level: 'info' | 'warn' | 'error';
}

export interface EventMap {
	/** The connection's state has changed. */
	state: Status;
	/** A socket is being opened. */
	stream: StreamStats;
	/** A socket has ended. */
	streamend: StreamStats;
	/** The server has something to say to people. */
	notice: Notice;
}

export interface Address {
	addr: string;
	port: number;
}

/** Why a socket of connect() failed. It is a TypeError because WinterTC's sockets API has it so. */
export class SocketError extends TypeError {
	constructor(target: string, why: Ending);
	/** Such as "refused". */
	code: Code;
	/** Emscripten's number, such as 14 for ECONNREFUSED. */
	errno: number;
	/** What the server, or the tunnel, says about it; may be empty. */
	text: string;
}

/** A setting that cannot be used, or that there is not. */
export class ConfigError extends Error {}

/** What `opened` resolves to. The addresses are null if the server does not tell them. */
export interface SocketInfo {
	/** The address that the server has dialed: host:port, with brackets around an IPv6 address. */
	remoteAddress: string | null;
	/** The server's own end. */
	localAddress: string | null;
	/** The protocol that TLS has agreed on. */
	alpn: string | null;
	/** localAddress in parts. */
	bound: Address | null;
	/** remoteAddress in parts. */
	remote: Address | null;
}

/** One TCP connection in the shape of WinterTC's sockets API, with flow control both ways. */
export interface Socket {
	/** Rejects with a SocketError. */
	readonly opened: Promise<SocketInfo>;
	/** Resolves after a clean end both ways, rejects with a SocketError otherwise. */
	readonly closed: Promise<void>;
	/** A byte stream: getReader({ mode: 'byob' }) works. */
	readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
	/** Whether startTls() has replaced the socket. */
	readonly upgraded: boolean;
	/**
	 * Closing it ends this direction only. The first chunk is sent at once; the promises of write() and
	 * close() settle after the server's answer and reject if it is a refusal. A chunk of any other type
	 * is a TypeError, and the socket is reset.
	 */
	readonly writable: WritableStream<ArrayBuffer | ArrayBufferView | string>;
	/**
	 * Ends the socket like close(2): what was written is delivered, also before the server has answered.
	 * A later write is a TypeError.
	 * A socket that is not open and has nothing to deliver is given up: `closed` fulfils, `opened` rejects
	 * with the code "aborted". Returns `closed`.
	 *
	 * With a reason, `opened` rejects with it if it is pending, and so does a later write.
	 */
	close(reason?: unknown): Promise<void>;
	/** Is close(), for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
	/** Changes options of the server's socket to the target. */
	setOptions(options: SocketChoices): void;
	/**
	 * Begins TLS behind what was written. The socket that it returns has the connection from then on, and this
	 * one is closed. What the target sent in front of TLS must have been read; otherwise the connection is reset.
	 * Throws a TypeError where secureTransport is not "starttls".
	 */
	startTls(tls?: TlsOptions & SecureOptions): Socket;
	/** Ends the socket at once. */
	reset(): void;
}

/** Options of the server's socket to the target. */
export interface SocketChoices {
	/** TCP_NODELAY of the server's socket to the target. Default: true. */
	noDelay?: boolean | undefined;
	/** Milliseconds of silence after which TCP probes the target, 1000 or more. Default: the server's. */
	keepAliveDelay?: number | undefined;
	/** SO_KEEPALIVE. Default: on if there is a keepAliveDelay. */
	keepAlive?: boolean | undefined;
}

/** Which servers are trusted. A wrong value rejects. */
export interface TlsOptions {
	/** Certificates of authorities as PEM, beside the built-in ones. */
	roots?: string | readonly string[] | undefined;
	/** Whether the built-in ones do not count. Default: false. */
	onlyRoots?: boolean | undefined;
	/** Public keys, as "sha256/" and the base64 form of the hash (RFC 7469): one certificate of the server's chain must have one of them. */
	pins?: readonly string[] | undefined;
}

export interface SecureOptions {
	/** The name that is asked for and that the certificate must have. Default: the host. */
	sni?: string | undefined;
	/** Protocols to agree on, the best first. */
	alpn?: readonly string[] | undefined;
}

/** What fetch() takes beside the standard's members. */
export interface FetchInit extends RequestInit {
	sockmux?: FetchOptions | undefined;
}

export interface FetchOptions extends TlsOptions {
	/** Headers that browsers keep from pages, such as Cookie, Host, Origin and Set-Cookie, are sent and shown. Default: false. */
	allHeaders?: boolean | undefined;
}

export interface ConnectOptions extends SocketChoices {
	/** Seconds until the socket is open. */
	timeout?: number | undefined;
	optimistic?: boolean | undefined;
	/** Only addresses of that family. Default: both. */
	family?: 4 | 6 | undefined;
	/** TLS, which ends in the page: "on" from the start, "starttls" with startTls(). Default: "off". */
	secureTransport?: 'off' | 'on' | 'starttls' | undefined;
	tls?: (TlsOptions & SecureOptions) | undefined;
	/**
	 * Whether the page may go on to write after the target has ended its direction. Default: false for
	 * connect(address), true for connect(host, port).
	 */
	allowHalfOpen?: boolean | undefined;
	/** Ends the socket at once, at any time. All its promises reject with the signal's reason. */
	signal?: AbortSignal | undefined;
}

/** Options of a TCPSocket, as Direct Sockets has them. Sizes of buffers have no effect. */
export interface TCPSocketOptions {
	/** Default: false. */
	noDelay?: boolean | undefined;
	/** Milliseconds of silence after which TCP probes the target, 1000 or more. */
	keepAliveDelay?: number | undefined;
	dnsQueryType?: 'ipv4' | 'ipv6' | undefined;
	sendBufferSize?: number | undefined;
	receiveBufferSize?: number | undefined;
}

export interface TCPSocketOpenInfo {
	readable: ReadableStream<Uint8Array<ArrayBuffer>>;
	writable: WritableStream<ArrayBuffer | ArrayBufferView>;
	remoteAddress: string | null;
	remotePort: number | null;
	localAddress: string | null;
	localPort: number | null;
}

/** A TCP connection in the shape of Direct Sockets. It fails with the DOMException NetworkError or NotAllowedError, whose cause is a SocketError. */
export interface TCPSocket {
	readonly opened: Promise<TCPSocketOpenInfo>;
	/** Settles when both streams are done. */
	readonly closed: Promise<void>;
	/** Rejects with InvalidStateError before `opened`, and where a stream is locked. */
	close(): Promise<void>;
}

/** Options of a UDPSocket, as Direct Sockets has them, with remoteAddress and remotePort or with localAddress. */
export interface UDPSocketOptions {
	/** A name or an address. The socket is connected. */
	remoteAddress?: string | undefined;
	remotePort?: number | undefined;
	/** The socket is not connected: it sends to any address, and receives from those to which it has sent. '0.0.0.0' and '::' leave the address to the server. */
	localAddress?: string | undefined;
	/** Default: any port. With a port, or an address of the server, strangers may send too: a server refuses that unless its operator allows it. */
	localPort?: number | undefined;
	/** Of a connected socket. */
	dnsQueryType?: 'ipv4' | 'ipv6' | undefined;
	/** Of a socket with the localAddress '::'. */
	ipv6Only?: boolean | undefined;
	/**
	 * Called for what the network or the server says of a datagram, such as that its target refused it. It ends nothing.
	 * The error names the peer if the socket is not connected.
	 */
	onerror?: ((error: DOMException & { remoteAddress?: string; remotePort?: number }) => void) | undefined;
	sendBufferSize?: number | undefined;
	receiveBufferSize?: number | undefined;
}

/** A datagram. The address is there if the socket is not connected: that to which the page has sent, a name if that was one. */
export interface UDPMessage {
	data: Uint8Array<ArrayBuffer>;
	remoteAddress?: string;
	remotePort?: number;
}

export interface UDPMessageToSend {
	/** At most 65507 bytes. */
	data: ArrayBuffer | ArrayBufferView;
	/** Only if the socket is not connected. */
	remoteAddress?: string | undefined;
	remotePort?: number | undefined;
}

export interface UDPSocketOpenInfo {
	readable: ReadableStream<UDPMessage>;
	/** Takes every message at once. What the connection does not take soon is dropped. */
	writable: WritableStream<UDPMessageToSend>;
	/** Of a connected socket. */
	remoteAddress?: string | null;
	remotePort?: number | null;
	localAddress: string | null;
	localPort: number | null;
}

/** A UDP socket in the shape of Direct Sockets. It fails as a TCPSocket does; what is wrong with its options rejects `opened`. */
export interface UDPSocket {
	readonly opened: Promise<UDPSocketOpenInfo>;
	readonly closed: Promise<void>;
	/** Rejects with InvalidStateError before `opened`, and where a stream is locked. */
	close(): Promise<void>;
}

/** Options of listen(). */
export interface ListenOptions {
	/** Connections that wait at the server, which bounds it. Default: 128. */
	backlog?: number | undefined;
	/** With the host "", "localhost" or "::": only addresses of that family. */
	family?: 4 | 6 | undefined;
	/** Of the connections: whether the page may go on to write after the other end has ended its direction. Default: true. */
	allowHalfOpen?: boolean | undefined;
	/** Ends the listener at any time: its promises reject with the signal's reason. Connections go on. */
	signal?: AbortSignal | undefined;
}

/** A listener at the server. */
export interface Server {
	/** The address that the server has bound, or null if it does not tell. */
	readonly bound: Address | null;
	/** The same as host:port. */
	readonly localAddress: string | null;
	/**
	 * The connections, as they come. The `opened` of each has both addresses; it rejects if the other end has gone
	 * meanwhile. What is not read waits at the server.
	 */
	readonly readable: ReadableStream<Socket>;
	/** Resolves after close(), rejects with a SocketError if the listener has ended otherwise. */
	readonly closed: Promise<void>;
	/** Frees the port, and resets the connections that were not read. Returns `closed`. */
	close(): Promise<void>;
	/** Is close(), for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
}

/** Options of a TCPServerSocket, as Direct Sockets has them. */
export interface TCPServerSocketOptions {
	/** Default: any port that the server allows. */
	localPort?: number | undefined;
	/** Connections that wait at the server. Default: 128. */
	backlog?: number | undefined;
	/** With the localAddress "::". */
	ipv6Only?: boolean | undefined;
}

export interface TCPServerSocketOpenInfo {
	readable: ReadableStream<TCPSocket>;
	localAddress: string | null;
	localPort: number | null;
}

/** A listener at the server in the shape of Direct Sockets. It fails as a UDPSocket does. */
export interface TCPServerSocket {
	readonly opened: Promise<TCPServerSocketOpenInfo>;
	readonly closed: Promise<void>;
	/** Rejects with InvalidStateError before `opened`, and where the readable is locked. */
	close(): Promise<void>;
}

/** What a name resolves to. */
export interface Names {
	/** In the order in which to try them. Empty if the name has none that a page can use by itself. */
	addresses: string[];
	/** Of the address, if the name was one below in-addr.arpa or ip6.arpa. */
	names: string[];
	/** Seconds for which the answer is good. */
	ttl: number;
}

export interface Sockmux {
	readonly version: string;
	readonly status: Status;
	stats(): Stats;
	on<K extends keyof EventMap>(type: K, listener: (value: EventMap[K]) => void): this;
	off<K extends keyof EventMap>(type: K, listener: (value: EventMap[K]) => void): this;
	/** Credential for the next session. */
	setToken(token: string): void;
	/**
	 * Opens a TCP connection for the page itself. The address is "host:port" or { hostname, port }. The page's
	 * settings are the defaults. Throws a SocketError for a malformed address.
	 */
	connect(address: string | { hostname: string; port: number }, options?: ConnectOptions): Socket;
	/**
	 * The same with host and port apart. Throws a SocketError if host is no string or port no whole number in 1 to
	 * 65535. What else is wrong with the target rejects the promises of the socket.
	 */
	connect(host: string, port: number, options?: ConnectOptions): Socket;
	/**
	 * The Fetch standard's fetch() through the tunnel: to any server that the policy allows, without CORS. TLS ends in
	 * the page. Rejects with a TypeError, as the standard has it, whose cause is a SocketError where a connection
	 * or the server has failed.
	 */
	fetch(input: Parameters<typeof globalThis.fetch>[0], init?: FetchInit): Promise<Response>;
	readonly TCPSocket: new (remoteAddress: string, remotePort: number, options?: TCPSocketOptions) => TCPSocket;
	readonly UDPSocket: new (options: UDPSocketOptions) => UDPSocket;
	readonly TCPServerSocket: new (localAddress: string, options?: TCPServerSocketOptions) => TCPServerSocket;
	/**
	 * Listens at the server, whose operator must allow it (--allow-listen). The host is an address of the server,
	 * "localhost", or "" for the one that the server's policy chooses. Port 0 is any port. Rejects with a SocketError,
	 * such as denied or address_in_use.
	 */
	listen(host: string, port: number, options?: ListenOptions): Promise<Server>;
	readonly SocketError: typeof SocketError;
	/**
	 * Asks the server for the addresses of a name. An address that the server's policy lets the page
	 * reach at no port is not among them. A name below in-addr.arpa or ip6.arpa asks for the names of that
	 * address. Rejects with a SocketError, such as name_not_found or denied.
	 * timeout in seconds; default: the page's settings. A signal gives the question up: it rejects with its reason.
	 */
	resolve(name: string, options?: { timeout?: number | undefined; family?: 4 | 6 | undefined; signal?: AbortSignal | undefined }): Promise<Names>;
	/** Helps a webR whose worker the script could not reach by itself. */
	attach(webR: unknown): Promise<void>;
	/** Ends all sockets and puts the page's WebSocket and Worker back. */
	uninstall(): void;
}

/**
 * Installs sockmux in this page or worker, before the runtime is started. A second call gives what the first has installed.
 * In Node it replaces nothing, and each call gives a client with a connection of its own.
 * Throws a ConfigError that names the setting, or what the place lacks.
 */
export function install(options?: Options): Sockmux;

declare global {
	/** Before the script: options. After it: what it has installed. */
	var sockmux: Sockmux | Options | undefined;
}
