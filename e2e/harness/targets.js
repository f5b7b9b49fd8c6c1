// TCP services that the tests connect to. All listen on loopback, each on a free port.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { reset } from './reset.js';

export const MEGABYTE = 1_000_000;

/**
 * The block number `index` of the test data: a megabyte that is the same in every run,
 * different for each index and dull for no compressor.
 * @param {number} index
 */
export function block(index) {
	const bytes = Buffer.alloc(MEGABYTE);
	let state = (index + 1) * 2654435761 >>> 0;
	for (let i = 0; i < MEGABYTE; i += 4) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		bytes.writeInt32LE(state | 0, i);
	}
	return bytes;
}

/** @param {Uint8Array} bytes */
export const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/** The bytes that SOCKFS takes for a port announcement when they are the whole first message. */
export const PORT_MESSAGE = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x70, 0x6f, 0x72, 0x74, 0x12, 0x34]);

/**
 * @typedef {import('node:net').Socket} Socket
 * @typedef {{ bytes: number, end: null | 'fin' | 'reset' }} Connection  what came over it, and how the other end ended it
 * @typedef {{ ports: Record<string, number>, seen: Record<string, Buffer[]>, closed: Record<string, number>, connections: Connection[], stop: () => Promise<void> }} Targets
 */

/**
 * What each service does with a connection.
 * @type {Record<string, (socket: Socket, seen: (bytes: Buffer) => void, connection: Connection) => void>}
 */
const SERVICES = {
	/** Sends back what it gets. */
	echo: (socket) => void socket.pipe(socket),
	/** Accepts and says nothing. */
	silent: (socket) => void socket.resume(),
	/** Accepts and reads nothing. */
	deaf: (socket) => void socket.pause(),
	/** One line, then FIN. */
	line: (socket) => void socket.resume().end('one line\n'),
	/** Three lines, the last without a newline, then FIN. */
	lines: (socket) => void socket.resume().end('first\nsecond\nthird'),
	/** One line after a second. */
	slow: (socket) => {
		const timer = setTimeout(() => socket.end('late\n'), 1000);
		socket.resume().on('close', () => clearTimeout(timer));
	},
	/**
	 * One line, then RST. Some systems throw away with the RST what is not read yet, so
	 * there is time to read it.
	 */
	reset: (socket) => {
		const timer = setTimeout(() => reset(socket), 200);
		socket.resume().on('close', () => clearTimeout(timer)).write('before the reset\n');
	},
	/** A greeting and FIN at once; what comes after that is kept, and so is the end. */
	halfclose: (socket, seen) => void socket.on('data', seen).end('greeting\n'),
	/** The ten bytes that SOCKFS would swallow, then the rest. */
	portlike: (socket) => {
		socket.resume().write(PORT_MESSAGE);
		const timer = setTimeout(() => socket.end('rest\n'), 100);
		socket.on('close', () => clearTimeout(timer));
	},
	/** A line "N": sends blocks 0 to N-1 and FIN. */
	download: (socket) => {
		let text = '';
		socket.on('data', (data) => {
			text += data.toString('latin1');
			if (!text.includes('\n')) return;
			const count = Number(text.split('\n')[0]);
			text = '';
			let index = 0;
			const more = () => {
				while (index < count) if (!socket.write(block(index++))) return void socket.once('drain', more);
				socket.end();
			};
			more();
		});
	},
	/** A line "N", then N bytes: answers the MD5 of each megabyte, a line each, then FIN. */
	upload: (socket) => {
		let head = '';
		let left = -1;
		let hash = createHash('md5');
		let inBlock = 0;
		socket.on('data', (data) => {
			let at = 0;
			while (left < 0 && at < data.length) {
				const char = String.fromCharCode(data[at++]);
				if (char === '\n') left = Number(head);
				else head += char;
			}
			while (left > 0 && at < data.length) {
				const part = data.subarray(at, at + Math.min(left, MEGABYTE - inBlock));
				hash.update(part);
				at += part.length;
				left -= part.length;
				inBlock += part.length;
				if (inBlock < MEGABYTE && left > 0) continue;
				socket.write(`${hash.digest('hex')}\n`);
				hash = createHash('md5');
				inBlock = 0;
			}
			if (left === 0) {
				left = -2;
				socket.end();
			}
		});
	},
	/** Reads 10 MB a second at most, for ever. */
	drip: (socket) => {
		let left = 0;
		const timer = setInterval(() => {
			left = 200_000;
			socket.resume();
		}, 20);
		socket.on('data', (data) => {
			left -= data.length;
			if (left <= 0) socket.pause();
		}).on('close', () => clearInterval(timer));
	},
	/** Counts what comes and notes how it ends. */
	record: (socket, _, connection) => {
		socket.on('data', (data) => {
			connection.bytes += data.length;
		}).on('error', () => {
			connection.end ??= 'reset';
		}).on('end', () => {
			// libuv calls a reset an end where the read before it was a short one.
			// Writing tells them apart.
			socket.write('\0', (error) => {
				connection.end ??= error ? 'reset' : 'fin';
				socket.end();
			});
		});
	},
	/** The same, but it takes its time: 4 MB a second. */
	recordslow: (socket, _, connection) => {
		SERVICES.record(socket, _, connection);
		socket.on('data', () => {
			socket.pause();
			setTimeout(() => socket.resume(), 15);
		});
	},
	/**
	 * Listens, and is the one service that the policy of the tests does not allow: a
	 * connection here is a failure.
	 */
	denied: (socket, seen) => void socket.on('data', seen).end('reached\n'),
	/** An HTTP server that allows every origin. */
	http: (socket) => {
		let text = '';
		socket.on('data', (data) => {
			text += data.toString('latin1');
			if (!text.includes('\r\n\r\n')) return;
			const body = 'served\n';
			socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nContent-Type: text/plain\r\nAccess-Control-Allow-Origin: *\r\n`
				+ `Cross-Origin-Resource-Policy: cross-origin\r\nConnection: close\r\n\r\n${body}`);
		});
	},
};

/**
 * Starts them all. `ports.refused` is a port without a listener. `seen` holds what
 * arrived at the services that keep it; `closed` counts the connections of each service
 * that ended; `connections` has those of `record` and `recordslow`.
 * @returns {Promise<Targets>}
 */
export async function startTargets() {
	/** @type {Targets} */
	const targets = { ports: {}, seen: {}, closed: {}, connections: [], stop };
	/** @type {Set<Socket>} */
	const sockets = new Set();
	const servers = Object.entries(SERVICES).map(([name, serve]) => {
		targets.seen[name] = [];
		targets.closed[name] = 0;
		return { name, server: createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
			sockets.add(socket);
			socket.on('error', () => socket.destroy());
			socket.on('close', () => {
				sockets.delete(socket);
				targets.closed[name]++;
			});
			// allowHalfOpen lets a service go on after the client's FIN; those that have
			// nothing left to say end as well.
			if (name !== 'echo' && !name.startsWith('record')) socket.on('end', () => socket.end());
			/** @type {Connection} */
			const connection = { bytes: 0, end: null };
			if (name.startsWith('record')) targets.connections.push(connection);
			serve(socket, (bytes) => void targets.seen[name].push(bytes), connection);
		}) };
	});
	for (const { name, server } of servers) targets.ports[name] = await listen(server);
	const nobody = await holdRefused();
	targets.ports.refused = nobody.port;
	return targets;

	async function stop() {
		nobody.release();
		for (const socket of sockets) socket.destroy();
		await Promise.all(servers.map(({ server }) => new Promise((resolve) => { server.close(resolve); })));
	}
}

/**
 * A port that refuses connections until it is released. One that was closed would not do:
 * the system soon gives it to the next who listens. This one is held by the client's end
 * of a connection, which was bound before it was made, so that the system does not give
 * it to other connections either.
 */
async function holdRefused() {
	const server = createServer();
	const port = await listen(server);
	const accepted = new Promise((resolve) => { server.once('connection', resolve); });
	const held = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1' });
	const peer = /** @type {Socket} */ (await accepted);
	server.close();
	for (const end of [held, peer]) end.on('error', () => end.destroy()).unref();
	if (held.connecting) await once(held, 'connect');
	return {
		port: /** @type {number} */ (held.localPort),
		release() {
			held.destroy();
			peer.destroy();
		},
	};
}

/** @param {import('node:net').Server} server */
async function listen(server) {
	await new Promise((resolve, reject) => { server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined)); });
	return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}
