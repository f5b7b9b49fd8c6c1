// Servers of well-known protocols, as far as the R programs speak them.

import { lines } from './lines.js';
import { postgres } from './postgres.js';

/** @typedef {import('node:net').Socket} Socket */

/** @param {string | undefined} value */
const bulk = (value) => (value === undefined ? '$-1\r\n' : `$${Buffer.byteLength(value)}\r\n${value}\r\n`);

/** @type {Map<string, any>} */
const redis = new Map();
/** @type {Record<string, (args: string[]) => string>} */
const REDIS = {
	PING: () => '+PONG\r\n',
	SET([key, value]) {
		redis.set(key, value);
		return '+OK\r\n';
	},
	GET: ([key]) => bulk(redis.get(key)),
	DEL: ([key]) => `:${redis.delete(key) ? 1 : 0}\r\n`,
	INCR([key]) {
		redis.set(key, `${Number(redis.get(key) ?? 0) + 1}`);
		return `:${redis.get(key)}\r\n`;
	},
	RPUSH([key, ...values]) {
		redis.set(key, [...(redis.get(key) ?? []), ...values]);
		return `:${redis.get(key).length}\r\n`;
	},
	LRANGE([key]) {
		const list = redis.get(key) ?? [];
		return `*${list.length}\r\n${list.map(bulk).join('')}`;
	},
	FLUSHALL() {
		redis.clear();
		return '+OK\r\n';
	},
};
/** @param {string[]} command */
const runRedis = ([name, ...args]) => REDIS[name.toUpperCase()]?.(args) ?? `-ERR unknown command '${name}'\r\n`;

/** @type {Map<string, [string, Buffer]>} */
const memcached = new Map();

/** @type {Record<string, (socket: Socket) => unknown>} */
export const protocols = {
	resp(socket) {
		/** @type {string[]} */
		let args = [];
		let left = 0;
		const reader = lines(socket, (line) => {
			if (line.startsWith('*')) {
				left = Number(line.slice(1));
				args = [];
			} else if (line.startsWith('$')) {
				reader.take(Number(line.slice(1)) + 2, (bytes) => {
					args.push(bytes.subarray(0, -2).toString());
					if (--left === 0) socket.write(runRedis(args));
				});
			} else if (line) socket.write(runRedis(line.split(' ')));
		});
	},

	smtp(socket) {
		/** @type {string[] | null} */
		let data = null;
		socket.write('220 mail.test ESMTP\r\n');
		lines(socket, (line) => {
			if (data && line !== '.') return data.push(line.startsWith('..') ? line.slice(1) : line);
			if (data) {
				socket.write(`250 2.0.0 queued ${data.length} lines, ${data.filter((text) => text.startsWith('.')).length} with a dot\r\n`);
				data = null;
				return 0;
			}
			switch (line.slice(0, 4).toUpperCase()) {
				case 'EHLO': return socket.write('250-mail.test\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n');
				case 'MAIL': return socket.write('250 2.1.0 Ok\r\n');
				case 'RCPT': return socket.write(/nobody/.test(line) ? '550 5.1.1 no such user\r\n' : '250 2.1.5 Ok\r\n');
				case 'DATA':
					data = [];
					return socket.write('354 end with .\r\n');
				case 'QUIT': return socket.end('221 2.0.0 Bye\r\n');
				default: return socket.write('502 5.5.2 what?\r\n');
			}
		});
	},

	memcached(socket) {
		const reader = lines(socket, (line) => {
			const [name, key, flags, , length] = line.split(' ');
			switch (name) {
				case 'set': return reader.take(Number(length) + 2, (bytes) => {
					memcached.set(key, [flags, Buffer.from(bytes.subarray(0, -2))]);
					socket.write('STORED\r\n');
				});
				case 'get':
					for (const asked of line.split(' ').slice(1)) {
						const [kept, value] = memcached.get(asked) ?? [];
						if (value) socket.write(Buffer.concat([Buffer.from(`VALUE ${asked} ${kept} ${value.length}\r\n`), value, Buffer.from('\r\n')]));
					}
					return socket.write('END\r\n');
				case 'delete': return socket.write(memcached.delete(key) ? 'DELETED\r\n' : 'NOT_FOUND\r\n');
				case 'version': return socket.write('VERSION 1.0\r\n');
				case 'quit': return socket.end();
				default: return socket.write('ERROR\r\n');
			}
		});
	},

	irc: (socket) => lines(socket, (line) => {
		if (line.startsWith('USER')) socket.write(':srv 001 nick :Welcome\r\nPING :abc123\r\n');
		else if (line.startsWith('PONG')) socket.write(`:srv NOTICE nick :pong was ${line.slice(5)}\r\n`);
		else if (line.startsWith('JOIN')) {
			socket.write(':nick!u@h JOIN #r\r\n:srv 353 nick = #r :nick bob\r\n:srv 366 nick #r :End\r\n:bob!u@h PRIVMSG #r :hello nick\r\n');
		} else if (line.startsWith('QUIT')) socket.end('ERROR :closing\r\n');
	}),

	pg: postgres,
};
