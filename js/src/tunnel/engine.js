// The Go program with its carriers: all that must be in one thread. The tunnel has it beside it (this file) or in a worker (remote.js).

import { Boundary } from './boundary.js';
import { Carriers } from './carrier.js';
import { text } from './events.js';
import { reasonOf } from './tasks.js';

/** What the tunnel and its streams ask of the program. @typedef {Omit<Boundary, 'carrierOpened' | 'carrierMessage' | 'carrierBody' | 'carrierClosed' | 'copyBody' | 'dropBody' | 'borrow' | 'resume' | 'kill' | 'shutdown'>} Commands */

/**
 * What the program tells its owner; each may be called while Go runs, so it must only note.
 * @typedef {object} Owner
 * @property {string} url  of the server's endpoint
 * @property {import('./traffic.js').Traffic} traffic  counted up
 * @property {() => void} onevent  nextEvent() has something to give
 * @property {(level: number, line: string) => void} onlog
 * @property {(why: string) => void} onfailure  the program is gone
 */

/**
 * A program that is loaded.
 * @typedef {object} Engine
 * @property {Commands} commands
 * @property {() => void} run  starts it; once, before any command
 * @property {() => void} end  ends every stream and the session with a word to the server, then the program
 * @property {() => void} drop  ends the program without a word
 */

/** Loads the program. Rejects with an error that says what could not be loaded. @typedef {(owner: Owner) => Promise<Engine>} StartEngine */

/**
 * Loads the program in this thread.
 * @param {{ start: import('./program.js').Start, Native: typeof WebSocket, probe?: (url: string) => Promise<string> }} parts  probe finds out why a dial failed
 * @param {Owner} owner
 * @returns {Promise<Engine>}
 */
export async function startEngine({ start, Native, probe }, owner) {
	const read = (/** @type {number} */ at, /** @type {number} */ length) => text(boundary.borrow(at, length).slice());
	// Go calls none of these before run().
	const loaded = await start({
		carrierDial: (/** @type {number} */ id) => carriers.dial(id),
		carrierSend: (/** @type {number} */ id, /** @type {number} */ at, /** @type {number} */ length) => carriers.send(id, boundary.borrow(at, length)),
		carrierBuffered: (/** @type {number} */ id) => carriers.buffered(id),
		carrierClose: (/** @type {number} */ id, /** @type {number} */ code, /** @type {number} */ at, /** @type {number} */ length) =>
			carriers.close(id, code, read(at, length)),
		bodyCopy: (/** @type {number} */ handle, /** @type {number} */ at, /** @type {number} */ to, /** @type {number} */ length) => boundary.copyBody(handle, at, to, length),
		bodyDrop: (/** @type {number} */ handle) => boundary.dropBody(handle),
		event: owner.onevent,
		log: (/** @type {number} */ level, /** @type {number} */ at, /** @type {number} */ length) => owner.onlog(level, read(at, length)),
	}, (code) => owner.onfailure(`the Go program ended with code ${code}`));
	const boundary = new Boundary(loaded.exports, loaded.resume, (error) => owner.onfailure(reasonOf(error)));
	const carriers = new Carriers(boundary, { url: owner.url, Native, traffic: owner.traffic, probe });
	const drop = () => {
		boundary.kill();
		carriers.drop();
	};
	return {
		commands: boundary,
		run: loaded.run,
		end() {
			boundary.shutdown();
			boundary.resume(); // the last messages leave now: the page may be about to go
			drop();
		},
		drop,
	};
}
