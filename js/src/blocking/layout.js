// What a worker that blocks and the page share: one buffer for each socket, one signal
// for all of them.
//
// The worker makes the buffers and tells the page by messages of the form { sockmux: ...
// }; the page answers only through the buffers, because a blocked worker hears no
// messages. Every word below has one writer.

import { MAX_TEXT_BYTES } from '../wire/generated/limit.js';

/**
 * Words (Int32) at the start of a socket's buffer. Counters are numbers of bytes since
 * the start modulo 2^32.
 */
export const WORD = Object.freeze({
	/** By the page: one of STATE. */
	state: 0,
	/** By the page: the code of the end (wire/generated/code.js). */
	code: 1,
	/** By the page: 1 once everything that the peer sent before its FIN is in the ring. */
	eof: 2,
	/** By the page: bytes put into the ring for the worker. */
	inPut: 3,
	/** By the worker: bytes that it has taken out of that ring. */
	inTaken: 4,
	/** By the worker: bytes put into the ring for the page. */
	outPut: 5,
	/** By the page: bytes of that ring that have left for the server, whose room is free again. */
	outFreed: 6,
	/** By the worker: bits of WANT. */
	want: 7,
	/**
	 * 1 while a message about this socket is on its way to the page: set by the worker,
	 * cleared by the page.
	 */
	kicked: 8,
	/** By the page: 1 once it will never touch this buffer again. */
	released: 9,
	/** By the page: lengths of the texts of the end's reason and of both addresses. */
	whyLength: 10,
	boundLength: 11,
	remoteLength: 12,
	/** By the page: the ports of both addresses. */
	boundPort: 13,
	remotePort: 14,
});

export const STATE = Object.freeze({ connecting: 0, open: 1, closed: 2 });

/** What the worker asks for, beside the bytes; done after the bytes. */
export const WANT = Object.freeze({ endWrite: 1, stopRead: 2, close: 4, reset: 8 });

/** The first word of a question for a name, by the page. Missing: the name does not exist. */
export const NAME = Object.freeze({ asking: 0, found: 1, missing: 2 });

/** Bytes of such a question: the word above, the length of the answer, the answer, a line each. */
export const NAME_BYTES = 4096;
const NAME_AT = 8;

/**
 * Writes an answer, with as many lines as there is room for.
 * @param {SharedArrayBuffer} buffer
 * @param {number} state  one of NAME
 * @param {readonly string[]} found
 */
export function putAnswer(buffer, state, found) {
	const bytes = new TextEncoder().encode(found.map((line) => `${line}\n`).join('')).subarray(0, NAME_BYTES - NAME_AT);
	const length = bytes.lastIndexOf(10) + 1;
	new Uint8Array(buffer, NAME_AT).set(bytes.subarray(0, length));
	const words = new Int32Array(buffer, 0, 2);
	Atomics.store(words, 1, length);
	Atomics.store(words, 0, state);
}

/** Reads an answer's lines, once its state is known. @param {SharedArrayBuffer} buffer @returns {string[]} */
export function getAnswer(buffer) {
	const bytes = new Uint8Array(buffer, NAME_AT, Atomics.load(new Int32Array(buffer, 0, 2), 1)).slice();
	return new TextDecoder().decode(bytes).split('\n').slice(0, -1);
}

/**
 * Bytes for the worker: as much as a server may send ahead, so it bounds the speed over a
 * long line (10 MB/s at 100 ms).
 */
export const IN_BYTES = 1 << 20;

/**
 * Bytes from the worker that have not left yet: twice what the tunnel hands to its wasm
 * at once would be idle memory.
 */
export const OUT_BYTES = 1 << 19;

const WORDS_BYTES = 64;
/**
 * What the text of an end may have in an answer (MAX_TEXT_BYTES), and room for a code
 * that is not known.
 */
const WHY_BYTES = MAX_TEXT_BYTES + 128;
/** Longer than any address. */
const ADDRESS_BYTES = 64;

/** Where each text is, and the word of its length. */
const TEXT = Object.freeze({
	why: { at: WORDS_BYTES, room: WHY_BYTES, word: WORD.whyLength },
	bound: { at: WORDS_BYTES + WHY_BYTES, room: ADDRESS_BYTES, word: WORD.boundLength },
	remote: { at: WORDS_BYTES + WHY_BYTES + ADDRESS_BYTES, room: ADDRESS_BYTES, word: WORD.remoteLength },
});

export const IN_AT = WORDS_BYTES + WHY_BYTES + 2 * ADDRESS_BYTES;
export const OUT_AT = IN_AT + IN_BYTES;
export const BUFFER_BYTES = OUT_AT + OUT_BYTES;

/** Version of this layout: page and worker of different builds do not talk to each other. */
export const LAYOUT = 5;

/**
 * The difference of two counters.
 * @param {number} later
 * @param {number} earlier
 */
export const span = (later, earlier) => (later - earlier) >>> 0;

/**
 * Writes a text into its area, cut to fit, and its length into its word.
 * @param {SharedArrayBuffer} buffer
 * @param {keyof typeof TEXT} area
 * @param {string} text
 */
export function putText(buffer, area, text) {
	const { at, room, word } = TEXT[area];
	// encodeInto() takes no shared memory.
	const bytes = new TextEncoder().encode(text).subarray(0, room);
	new Uint8Array(buffer, at, room).set(bytes);
	Atomics.store(new Int32Array(buffer, 0, WORDS_BYTES / 4), word, bytes.length);
}

/**
 * @param {SharedArrayBuffer} buffer
 * @param {keyof typeof TEXT} area
 */
export function getText(buffer, area) {
	const { at, word } = TEXT[area];
	const length = Atomics.load(new Int32Array(buffer, 0, WORDS_BYTES / 4), word);
	return new TextDecoder().decode(new Uint8Array(buffer, at, length).slice());
}

/** The words of a socket's buffer. @param {SharedArrayBuffer} buffer */
export const wordsOf = (buffer) => new Int32Array(buffer, 0, WORDS_BYTES / 4);
