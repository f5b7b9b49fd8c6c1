// listen() and accept(): a listener is a stream of records (docs/PROTOCOL.md, 5.4), and each
// connection that is accepted is a stream of its own.

import { AF_INET6, POLL, SOCK_STREAM } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import * as KIND from '../../wire/generated/kind.js';
import { Records, backlogBytes } from '../../tunnel/incoming.js';
import { teller } from './connecting.js';
import { receiveTimeout } from './options.js';
import { recordOf, showState } from './record.js';

/** @typedef {import('./ops.js').Parts} Parts */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {import('./record.js').SockRecord} SockRecord */

const READ = POLL.IN | POLL.RDNORM;

/**
 * Returns the operations of listeners over those of connections.
 * @param {Parts} parts
 * @param {Record<string, (sock: Sock, ...args: any[]) => any>} others
 * @returns {Record<string, (sock: Sock, ...args: any[]) => any>}
 */
export function listeningOps(parts, others) {
	const { program, connector, before, waiting, fail } = parts;
	const tell = teller(parts);
	/** An operation that a listener has not. @param {string} name @param {number} errno */
	const except = (name, errno) => (/** @type {Sock} */ sock, /** @type {any[]} */ ...args) => (recordOf(sock).listener ? fail(errno) : others[name](sock, ...args));

	/** Takes in the records that have come. @param {SockRecord} record */
	const queueOf = (record) => {
		const { socket, listener } = record;
		for (let bytes; (bytes = socket?.recv(1 << 16));) listener?.put(bytes);
		return listener?.queue ?? [];
	};

	/** @param {SockRecord} record */
	const readyToAccept = (record) => queueOf(record).length > 0 || record.error !== 0 || record.socket?.state === 'closed';

	return {
		...others,

		listen(sock, backlog) {
			if (sock.type !== SOCK_STREAM || !connector.alive || !program.create) return before.listen(sock, backlog);
			const record = recordOf(sock);
			// It waits for the server's answer, whatever O_NONBLOCK says: Linux answers at once.
			const call = { ...waiting.begin(sock, record, 'listen'), blocking: true };
			if (record.socket && !record.listener) fail(ERRNO.EINVAL);
			let { socket } = record;
			if (!socket) {
				const host = sock.saddr ?? (sock.family === AF_INET6 ? '::' : '0.0.0.0');
				const target = { kind: KIND.listen, host, port: record.anyPort ? 0 : sock.sport ?? 0 };
				socket = connector.connect(target, (event) => {
					if (record.socket === socket) tell(sock, record, event === 'message' ? 'connection' : event);
				});
				record.socket = socket;
				record.listener = new Records();
				showState(sock, record);
				if (record.anyPort) record.bound.port = 0; // shown as soon as the server has told it
				sock.server = { close() {} };
			}
			socket.send(backlogBytes(backlog), true);
			if (!waiting.until(call, Infinity, () => socket.state !== 'connecting')) return 0; // accept() tells what came of it
			if (socket.state === 'open') return 0;
			const error = record.takeError() || ERRNO.ECONNABORTED;
			socket.close();
			record.drop();
			sock.server = null;
			return fail(error);
		},

		accept(sock) {
			const record = recordOf(sock);
			if (!record.listener) return before.accept(sock);
			const { flags } = program.call;
			const call = waiting.begin(sock, record, 'accept');
			waiting.until(call, receiveTimeout(record.options), () => readyToAccept(record));
			const next = queueOf(record).shift();
			if (!next) return fail(record.takeError() || (record.socket?.state === 'closed' ? ERRNO.ECONNABORTED : ERRNO.EAGAIN));
			const made = program.create?.(sock.family, sock.type, sock.protocol);
			if (!made) return fail(ERRNO.EMFILE);
			const own = recordOf(made);
			const socket = connector.connect({ kind: KIND.accept, host: '', port: next.number }, (event) => {
				if (own.socket === socket) tell(made, own, event);
			});
			const inFamily = (/** @type {string} */ addr) => (sock.family === AF_INET6 && !addr.includes(':') ? `::ffff:${addr}` : addr);
			Object.assign(made, { daddr: inFamily(next.addr), dport: next.port, saddr: sock.saddr, sport: sock.sport });
			own.socket = socket;
			own.promised = true; // it is connected, whatever has become of it
			showState(made, own);
			made.stream.flags |= flags;
			return made;
		},

		poll(sock) {
			const record = recordOf(sock);
			if (!record.listener) return others.poll(sock);
			return readyToAccept(record) ? READ | (record.error ? POLL.ERR : 0) : 0;
		},

		connect: except('connect', ERRNO.EISCONN),
		sendmsg: except('sendmsg', ERRNO.EPIPE),
		recvmsg: except('recvmsg', ERRNO.ENOTCONN),
		shutdown: except('shutdown', ERRNO.ENOTCONN),
	};
}
