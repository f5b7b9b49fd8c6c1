// The Go program with its carriers: all that must be in one thread. The tunnel has it
// beside it (this file) or in a worker (remote.js).

import { Boundary } from './boundary.js';
import { Carriers, connect } from './carrier.js';
import { Early } from './early.js';
import { decodeAddresses } from '../wire/addresses.js';
import { text } from '../wire/events.js';
import { GOODBYE_MS, reasonOf } from './tasks.js';

/**
 * What the tunnel and its streams ask of the program.
 * @typedef {Omit<Boundary, 'carrierOpened' | 'carrierMessage' | 'carrierBody' | 'carrierViolated' | 'carrierClosed' | 'copyBody' | 'dropBody' | 'borrow' | 'resume' | 'kill' | 'shutdown'>} Commands
 */

/**
 * What the program tells its owner; each may be called while Go runs, so it must only note.
 * @typedef {object} Owner
 * @property {string} url  of the server's endpoint
 * @property {import('./traffic.js').Traffic} traffic  counted up
 * @property {import('./tasks.js').Schedule} schedule
 * @property {Promise<void>} [wanted]  settles when a program wants a connection, which may be before the Go program is there
 * @property {() => void} onevent  nextEvent() has something to give
 * @property {(work: () => void) => void} task  does a task's work, which lets Go run, and hands out in the same task what Go tells by then
 * @property {(why: string) => void} onfailure  the program is gone
 */

/**
 * A program that is loaded.
 * @typedef {object} Engine
 * @property {Commands} commands
 * @property {() => void} run  starts it; once, before any command
 * @property {() => Promise<void>} end  ends every stream and the session with a word to the server, then the program; resolves when that is done or given up
 * @property {() => void} drop  ends the program without a word
 * @property {typeof decodeAddresses} decodeAddresses  here, so that no page loads it before it has a connection
 */

/**
 * Loads the program. Rejects with an error that says what could not be loaded.
 * @typedef {(owner: Owner) => Promise<Engine>} StartEngine
 */

/**
 * Loads the program in this thread.
 * @param {{ start: import('./program.js').Start, Native: typeof WebSocket, probe?: import('./carrier.js').Probe }} parts  probe finds out why a dial failed
 * @param {Owner} owner
 * @returns {Promise<Engine>}
 */
export async function startEngine({ start, Native, probe }, owner) {
	/** The program has ended as it was told to. @type {(() => void) | null} */
	let ended = null;
	const read = (/** @type {number} */ at, /** @type {number} */ length) => text(boundary.borrow(at, length).slice());
	const early = new Early(() => connect(Native, owner.url));
	void owner.wanted?.then(() => early.begin());
	// Go calls none of these before run().
	const loaded = await start({
		carrierDial: (/** @type {number} */ id, /** @type {number} */ maxMessage) => carriers.dial(id, maxMessage),
		carrierSend: (/** @type {number} */ id, /** @type {number} */ at, /** @type {number} */ length) => carriers.send(id, boundary.borrow(at, length)),
		carrierBuffered: (/** @type {number} */ id) => carriers.buffered(id),
		carrierClose: (/** @type {number} */ id, /** @type {number} */ code, /** @type {number} */ at, /** @type {number} */ length) =>
			carriers.close(id, code, read(at, length)),
		bodyCopy: (/** @type {number} */ handle, /** @type {number} */ at, /** @type {number} */ to, /** @type {number} */ length) => boundary.copyBody(handle, at, to, length),
		bodyDrop: (/** @type {number} */ handle) => boundary.dropBody(handle),
		event: owner.onevent,
	}, (code) => {
		if (ended) ended();
		else owner.onfailure(`the Go program ended with code ${code}`);
	}).catch((error) => {
		early.drop();
		throw error;
	});
	const boundary = new Boundary(loaded.exports, loaded.resume, (error) => owner.onfailure(reasonOf(error)));
	const carriers = new Carriers(boundary, { url: owner.url, Native, early, traffic: owner.traffic, schedule: owner.schedule, task: owner.task, probe });
	const drop = () => {
		boundary.kill();
		loaded.stop();
		carriers.drop();
		early.drop();
	};
	return {
		commands: boundary,
		run: loaded.run,
		end() {
			boundary.resume(); // what was written goes to the session, as far as that takes it
			const gone = new Promise((resolve) => {
				ended = () => resolve(undefined);
			});
			boundary.shutdown();
			boundary.resume(); // the last messages leave now: the page may be about to go
			const timer = setTimeout(() => ended?.(), GOODBYE_MS);
			return gone.then(() => {
				clearTimeout(timer);
				drop();
			});
		},
		drop,
		decodeAddresses,
	};
}
