// What Go tells, and how: apart from the boundary, because the page reads events and may have the boundary in a worker.

/**
 * Something that Go tells the page.
 * @typedef {object} Event
 * @property {number} kind  one of EVENT
 * @property {number} id  the stream, 0 where it is none
 * @property {number} a
 * @property {number} b
 * @property {Uint8Array} data  fresh; the receiver owns it
 */

/** Kinds of events; wasm/pump/event.go has the same numbers and says what a, b and data are. */
export const EVENT = Object.freeze({ opened: 1, data: 2, eof: 3, written: 4, closed: 5, state: 6, notice: 7 });

const decoder = new TextDecoder();

/** @param {Uint8Array} bytes */
export const text = (bytes) => decoder.decode(bytes);
