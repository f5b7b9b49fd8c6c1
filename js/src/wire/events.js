// What Go tells, and how: apart from the boundary, because the page reads events and may
// have the boundary in a worker.

/**
 * Something that Go tells the page; wasm/pump/event.go says what a, b and data are.
 * @typedef {object} Event
 * @property {number} kind  such as EVENT.opened
 * @property {number} id  the stream, 0 where it is none
 * @property {number} a
 * @property {number} b
 * @property {Uint8Array} data  fresh; the receiver owns it
 */

const decoder = new TextDecoder();

/** @param {Uint8Array} bytes */
export const text = (bytes) => decoder.decode(bytes);
