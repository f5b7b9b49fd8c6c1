// One request and its answer: the body goes as the server takes it, and the answer's comes as the
// page reads it.

import * as MESSAGE from '../wire/generated/https.js';
import { decodeHead, hasNoBody } from './response.js';

/** Bytes of a redirect's body that are read, so that its connection serves on. */
const MAX_DRAINED = 65_536;

/** How long they may take. */
const DRAIN_MS = 1000;

/**
 * An answer whose body was not read.
 * @typedef {Omit<import('./response.js').Answer, 'body'> & { body: ReadableStream<Uint8Array<ArrayBuffer>> | null, discard: () => void }} Received
 *   discard: no one reads the body
 */

/**
 * Sends a request. Rejects with the signal's reason, with what the body's stream fails with, or with
 * what failed() makes of the end.
 * @param {import('./client.js').Client} client
 * @param {import('./request.js').Outgoing} request
 * @param {{ signal: AbortSignal, failed: (why: import('../wire/codes.js').Ending) => Error }} options
 * @returns {Promise<Received>}
 */
export function exchange(client, { url, method, headers, body, tls }, { signal, failed }) {
	return new Promise((resolve, reject) => {
		const id = client.nextId();
		/** @type {ReadableByteStreamController | null} */
		let controller = null;
		/** Bytes that the server may send before the page reads. */
		let credit = MESSAGE.Window;
		/** Bytes that were read of a body that no one wants; null: it is wanted. @type {number | null} */
		let drained = null;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		let over = false;
		/** @type {{ error: unknown } | null} */
		let failure = null;
		const upload = body && uploader(client, id, body.stream, (error) => give(error));
		/** Nothing comes any more. */
		const end = () => {
			over = true;
			clearTimeout(timer);
			signal.removeEventListener('abort', aborted);
			upload?.stop();
		};
		const fail = (/** @type {unknown} */ error) => {
			end();
			failure = { error };
			controller?.error(error);
			controller = null;
			reject(error); // without effect behind the head
		};
		/** This end gives up. @param {unknown} error */
		const give = (error) => {
			if (over) return;
			client.abort(id);
			fail(error);
		};
		const aborted = () => give(signal.reason);
		const receive = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => {
			credit -= bytes.length;
			if (drained !== null) {
				drained += bytes.length;
				if (drained > MAX_DRAINED) give(undefined);
			} else controller?.enqueue(bytes);
		};
		const source = () => new ReadableStream(/** @type {UnderlyingByteSource} */ ({
			type: 'bytes',
			start(made) {
				controller = made;
			},
			pull({ desiredSize }) {
				const more = (desiredSize ?? 0) - credit;
				if (more <= 0 || over) return;
				credit += more;
				client.send(MESSAGE.Grant, id, more);
			},
			cancel() {
				controller = null;
				give(undefined);
			},
		}), { highWaterMark: MESSAGE.Window });

		if (signal.aborted) {
			reject(signal.reason);
			return;
		}
		signal.addEventListener('abort', aborted, { once: true });
		const text = [method, url.replace(/#.*/s, ''), body ? body.length : 0, ...[...headers].flat()].join('\0');
		client.begin(MESSAGE.Request, id, tls, text, {
			onhead(bytes) {
				const head = decodeHead(bytes);
				const none = hasNoBody(method, head.status);
				resolve({
					...head,
					body: none ? null : source(),
					failed: () => failure,
					discard() {
						drained = 0;
						controller = null;
						timer = setTimeout(() => give(undefined), DRAIN_MS);
					},
				});
			},
			ondata: receive,
			onend() {
				end();
				controller?.close();
				controller?.byobRequest?.respond(0);
				controller = null;
			},
			onfail: (why) => fail(failed(why)),
			ontook: (bytes) => upload?.took(bytes),
		});
		upload?.run();
	});
}

/**
 * Hands over a request's body.
 * @param {import('./client.js').Client} client
 * @param {number} id
 * @param {ReadableStream<any>} stream
 * @param {(error: unknown) => void} onerror
 */
function uploader(client, id, stream, onerror) {
	const reader = stream.getReader();
	let ahead = 0;
	let stopped = false;
	let moved = () => {};
	const room = () => new Promise((resolve) => {
		moved = () => resolve(undefined);
	});
	const pump = async () => {
		for (;;) {
			const { done, value } = await reader.read();
			if (stopped) return;
			if (done) break;
			if (!(value instanceof Uint8Array)) throw new TypeError('a chunk of the body is no Uint8Array');
			for (let at = 0; at < value.length; at += MESSAGE.Ahead) {
				while (ahead >= MESSAGE.Ahead) {
					await room();
					if (stopped) return;
				}
				const piece = /** @type {Uint8Array<ArrayBuffer>} */ (value.slice(at, at + MESSAGE.Ahead));
				ahead += piece.length;
				client.send(MESSAGE.Give, id, 0, piece);
			}
		}
		client.send(MESSAGE.Finish, id);
	};
	return {
		run() {
			pump().catch((error) => {
				if (stopped) return;
				reader.cancel(error).catch(() => {});
				onerror(error);
			});
		},
		/** @param {number} bytes */
		took(bytes) {
			ahead -= bytes;
			moved();
		},
		stop() {
			if (stopped) return;
			stopped = true;
			moved();
			reader.cancel().catch(() => {});
		},
	};
}
