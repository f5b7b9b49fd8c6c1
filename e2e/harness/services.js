// The TCP services of the C programs in fixtures/emscripten/cases. They stand at fixed
// distances from one base port, as the programs count them: at(n) is base + n.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { reset } from './reset.js';

/** @typedef {import('node:net').Socket} Socket */
/**
 * What a service does with a connection.
 * @typedef {(socket: Socket, world: World) => void} Service
 */
/**
 * What services know of each other: what came over a connection, by its ticket.
 * @typedef {{ tickets: Map<number, Promise<string>> }} World
 */

/** The distance at which nothing listens. */
export const REFUSED = 99;
/** The distance of the listener that never answers: its queue is full. */
export const SILENT_LISTENER = 30;
/** The distance of the echo on ::1. */
const ECHO6 = 31;
/** Distances in use, REFUSED included. */
export const SPAN = REFUSED + 1;

/** Calls on with each line. @param {Socket} socket @param {(line: string) => void} on */
function lines(socket, on) {
	let text = '';
	socket.on('data', (data) => {
		const parts = (text + data.toString('latin1')).split('\n');
		text = /** @type {string} */ (parts.pop());
		for (const part of parts) on(part.replace(/\r$/, ''));
	});
}

/**
 * Runs a function later, if the connection is still there.
 * @param {Socket} socket
 * @param {number} ms
 * @param {() => void} run
 */
function later(socket, ms, run) {
	const timer = setTimeout(run, ms);
	socket.on('close', () => clearTimeout(timer));
}

/** A ticket for a connection, and the function that tells its end. @param {World} world */
function issue(world) {
	const ticket = world.tickets.size + 1;
	/** @type {(text: string) => void} */
	let ended = () => {};
	world.tickets.set(ticket, new Promise((resolve) => { ended = resolve; }));
	return { ticket, ended };
}

/** @type {Service} */
const echo = (socket) => void socket.pipe(socket);

/**
 * h = h * 31 + byte, in 32 bits.
 * @param {Socket} socket
 * @param {(count: number, hash: number) => void} done
 */
function digest(socket, done) {
	let count = 0;
	let hash = 0;
	socket.on('data', (data) => {
		count += data.length;
		for (const byte of data) hash = (Math.imul(hash, 31) + byte) >>> 0;
	});
	socket.on('end', () => done(count, hash));
}

/** The bytes of a linear congruential generator, as the case waitall_big makes them. */
function generated() {
	const bytes = Buffer.alloc(1 << 20);
	let state = 1;
	for (let i = 0; i < bytes.length; i++) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		bytes[i] = state >>> 24;
	}
	return bytes;
}

/** HTTP/1.1 for three paths. @param {Socket} socket */
function http(socket) {
	let path = '';
	lines(socket, (line) => {
		const request = /^GET (\S+)/.exec(line);
		if (request) path = request[1];
		if (line !== '') return;
		if (path === '/close') socket.end('HTTP/1.0 200 OK\r\n\r\nand now the end.\n');
		else if (path === '/chunked') {
			socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
			later(socket, 50, () => socket.write('6\r\n world\r\n0\r\n\r\n'));
		} else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length + 5}\r\n\r\npath=${path}`);
	});
}

/** What a Redis client needs. @param {Socket} socket */
function redis(socket) {
	/** @type {Map<string, string>} */
	const values = new Map();
	/** @type {string[]} */
	let words = [];
	let left = 0;
	lines(socket, (line) => {
		if (left === 0) {
			left = Number(line.slice(1));
			words = [];
			return;
		}
		if (line.startsWith('$') && words.length < left && !words.at(-1)?.startsWith('\0')) {
			words.push(`\0${line}`);
			return;
		}
		words[words.length - 1] = line;
		if (words.length < left) return;
		left = 0;
		const [command, key, value] = words;
		if (command === 'PING') socket.write('+PONG\r\n');
		else if (command === 'SET') {
			values.set(key, value);
			socket.write('+OK\r\n');
		} else if (command === 'GET') {
			const found = values.get(key);
			socket.write(found === undefined ? '$-1\r\n' : `$${found.length}\r\n${found}\r\n`);
		} else if (command === 'INCR') {
			values.set(key, String(Number(values.get(key) ?? '0') + 1));
			socket.write(`:${values.get(key)}\r\n`);
		} else socket.write(`-ERR unknown command '${command}'\r\n`);
	});
}

/** By their distance from the base port. @type {Record<number, Service>} */
const SERVICES = {
	1: echo,
	5: echo,
	/** Six bytes, then FIN; reads on. */
	7: (socket) => void socket.resume().end('hello\n'),
	/** RST at once. */
	8: (socket) => later(socket, 20, () => reset(socket)),
	/** Never reads. */
	9: (socket) => void socket.pause(),
	/** Answers the FIN with a line. */
	10: (socket) => {
		let count = 0;
		socket.on('data', (data) => { count += data.length; });
		socket.on('end', () => socket.end(`got ${count} bytes then FIN\n`));
	},
	/** 16 MiB, then FIN. */
	11: (socket) => void socket.resume().end(Buffer.alloc(16 << 20, 'x')),
	/** A letter each 60 ms, ten in all, then FIN. */
	12: (socket) => {
		let index = 0;
		const timer = setInterval(() => {
			socket.write('abcdefghij'[index++]);
			if (index < 10) return;
			clearInterval(timer);
			socket.end();
		}, 60);
		socket.resume().on('close', () => clearInterval(timer));
	},
	13: http,
	14: redis,
	/** Ten bytes, then RST. */
	15: (socket) => {
		socket.resume().write('0123456789');
		later(socket, 200, () => reset(socket));
	},
	/** The ten bytes that SOCKFS takes for a port announcement, then an echo. */
	16: (socket) => {
		socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x70, 0x6f, 0x72, 0x74, 0x12, 0x34]));
		echo(socket, { tickets: new Map() });
	},
	/** Reads and says nothing. */
	17: (socket) => void socket.resume(),
	/** At FIN, "COUNT DIGEST" of what came. */
	18: (socket) => digest(socket, (count, hash) => socket.end(`${count} ${hash}\n`)),
	/** 1 MiB that can be checked, then FIN. */
	19: (socket) => void socket.resume().end(generated()),
	/** Asks, and asks again after a line. */
	20: (socket) => {
		let asked = 4;
		socket.write(`${asked--}?`);
		lines(socket, () => socket.write(`${asked--}?`));
	},
	/** An echo after 300 ms. */
	21: (socket) => void socket.on('data', (data) => later(socket, 300, () => socket.write(data))),
	/** A ticket and FIN; reads on. Service 23 tells what came. */
	22: (socket, world) => {
		const { ticket, ended } = issue(world);
		let count = 0;
		socket.on('data', (data) => { count += data.length; });
		socket.on('end', () => ended(`${count}`));
		socket.end(`${ticket}\n`);
	},
	/** For a ticket of 22 or 25: what came over that connection, once it has ended. */
	23: (socket, world) => lines(socket, async (ticket) => {
		socket.end(`${await world.tickets.get(Number(ticket))}\n`);
	}),
	/** Begins to read after 0.7 s; at FIN, the count. */
	24: (socket) => {
		later(socket, 700, () => digest(socket, (count) => socket.end(`${count}\n`)));
	},
	/** A ticket; the end counts too: FIN or reset. */
	25: (socket, world) => {
		const { ticket, ended } = issue(world);
		let count = 0;
		socket.write(`${ticket}\n`);
		socket.on('data', (data) => { count += data.length; });
		socket.on('error', () => ended(`${count} reset`));
		// libuv calls a reset an end where the read before it was a short one. Writing
		// tells them apart.
		socket.on('end', () => socket.write('\0', (error) => {
			ended(`${count} ${error ? 'reset' : 'fin'}`);
			socket.end();
		}));
	},
};

/**
 * Starts all services of one base port, which is free for all of them.
 * @returns {Promise<{ base: number, stop: () => Promise<void> }>}
 */
export async function startServices() {
	for (let tries = 20; ; tries--) {
		// Below the range from which systems take ports of clients.
		const base = 12000 + SPAN * Math.floor(Math.random() * 200);
		const services = await startAt(base).catch((error) => {
			if (error.code !== 'EADDRINUSE' || tries === 0) throw error;
			return null;
		});
		if (services) return services;
	}
}

/** @param {number} base */
async function startAt(base) {
	/** @type {Set<Socket>} */
	const sockets = new Set();
	/** @type {World} */
	const world = { tickets: new Map() };
	/** @type {import('node:net').Server[]} */
	const servers = [];
	/** @param {number} distance @param {string} host @param {Service} service */
	const listen = async (distance, host, service) => {
		const server = createServer({ allowHalfOpen: true }, (socket) => {
			sockets.add(socket);
			socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
			// A service that answers the peer's FIN itself ends its direction there; all
			// others end with the peer.
			service(socket, world);
			if (![10, 18, 22, 24, 25].includes(distance)) socket.on('end', () => socket.end());
		});
		servers.push(server);
		server.listen(base + distance, host);
		await once(server, 'listening');
	};
	let full = { stop() {} };
	const stop = async () => {
		full.stop();
		for (const socket of sockets) socket.destroy();
		await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
	};
	try {
		for (const [distance, service] of Object.entries(SERVICES)) await listen(Number(distance), '127.0.0.1', service);
		await listen(ECHO6, '::1', echo);
		full = await startFull(base + SILENT_LISTENER);
	} catch (error) {
		await stop();
		throw error;
	}
	return { base, stop };
}

/** A stopped process whose queue of connections is full: the system drops every further SYN. */
const LISTENER = `
	const server = require('node:net').createServer();
	server.listen({ port: Number(process.argv[1]), host: '127.0.0.1', backlog: 1 }, () => process.stdout.write('listening'));
`;

/** @param {number} port */
async function startFull(port) {
	const child = spawn(process.execPath, ['-e', LISTENER, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
	await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(([code]) => {
		throw Object.assign(new Error(`the listener of port ${port} ended with ${code}`), { code: 'EADDRINUSE' });
	})]);
	child.kill('SIGSTOP');
	const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
	await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')));
	return {
		stop() {
			for (const socket of sockets) socket.destroy();
			child.kill('SIGKILL');
		},
	};
}
