// The program of HTTP and TLS (wasm/https): its surroundings in the thread where it runs. client.js
// is the page's half.

import { reasonOf } from '../engine/tasks.js';
import { programFrom } from '../engine/program.js';

/**
 * A message to or from the program: its kind (wire/generated/https.js), the id of what it is about, a
 * number and bytes.
 * @typedef {[kind: number, id: number, number: number, bytes: Uint8Array<ArrayBuffer> | null]} Message
 */

/** @typedef {{ module: WebAssembly.Module } | { messages: Message[] }} ToProgram */
/** @typedef {{ ready: true } | { messages: Message[] } | { failed: string }} FromProgram */

/**
 * One end of the way between page and program.
 * @typedef {object} Port
 * @property {(message: any, transfer?: Transferable[]) => void} postMessage
 * @property {((event: any) => void) | null} onmessage
 */

/** By which the script of the worker knows that it is in its own. */
export const WORKER_NAME = 'sockmux-https';

/**
 * Runs the program for the page at the port: `module` comes first, and `ready` is the answer.
 * @param {{ port: Port, Go: import('../engine/go.js').GoClass, program?: typeof programFrom }} parts
 */
export function serve({ port, Go, program = programFrom }) {
	/** @type {import('../engine/program.js').Program | null} */
	let running = null;
	/** @type {Message[]} */
	let out = [];

	const fail = (/** @type {unknown} */ error) => {
		running = null;
		port.postMessage({ failed: reasonOf(error) });
	};
	const flush = () => {
		const messages = out;
		out = [];
		port.postMessage({ messages }, transfers(messages));
	};
	const tell = (/** @type {number} */ kind, /** @type {number} */ id, /** @type {number} */ number, /** @type {number} */ at, /** @type {number} */ length) => {
		if (out.length === 0) queueMicrotask(flush);
		const { buffer } = /** @type {any} */ (running).exports.mem;
		out.push([kind, id, number, length === 0 ? null : new Uint8Array(buffer, at >>> 0, length).slice()]);
	};
	const deliver = (/** @type {Message[]} */ messages) => {
		const { exports, resume } = /** @type {any} */ (running);
		try {
			for (const [kind, id, number, bytes] of messages) {
				// The address first: the memory may grow, and its buffer is another one then.
				if (bytes) {
					const at = exports.buffer(bytes.length) >>> 0;
					new Uint8Array(exports.mem.buffer, at, bytes.length).set(bytes);
				}
				exports.deliver(kind, id, number, bytes ? bytes.length : 0);
			}
			resume();
		} catch (error) {
			fail(error);
		}
	};
	const start = async (/** @type {WebAssembly.Module} */ module) => {
		const made = await program(module, Go)(/** @type {any} */ ({ tell }), (code) => fail(new Error(`the program ended with code ${code}`)));
		running = made;
		made.run();
		port.postMessage({ ready: true });
	};

	port.onmessage = ({ data }) => {
		if (data.module) start(data.module).catch(fail);
		else if (running) deliver(data.messages);
	};
}

/** What of messages changes its owner. @param {Message[]} messages */
export const transfers = (messages) => messages.flatMap(([, , , bytes]) => (bytes ? [bytes.buffer] : []));

