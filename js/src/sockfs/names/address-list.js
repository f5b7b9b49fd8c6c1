// The list of addresses that getaddrinfo() gives, in a program's memory. Emscripten's function
// makes one entry, and its freeaddrinfo() frees one. The entries behind the first are therefore
// kept, and used again for the same addresses.

import { encode } from '../calls/sockaddr.js';
import { pointerAt } from '../calls/iovec.js';
import { address } from '../memory.js';

/** @typedef {import('../program/program.js').Program} Program */

/** An entry behind the first. @typedef {{ info: number, sockaddr: number, family: number }} Entry */

/** Entries that are kept at most, each of some 80 bytes. What has no room is left out of lists. */
const MAX_KEPT = 256;

/**
 * Four numbers of hints are written there, and what stood there is put back. Emscripten keeps
 * nothing in this part of the memory but the deepest words of the stack.
 */
const SCRATCH = 64;
const HINT_WORDS = 4;

const AF_INET = 2;
const AF_INET6 = 10;
/** Where sockaddr_in6 has its address. */
const IN6_ADDR = 8;
const AI_PASSIVE = 1;

/** Where the fields of struct addrinfo stand; those of pointers differ with 64-bit memory. */
const fields = (/** @type {boolean} */ wide) => ({ family: 4, sockaddr: wide ? 24 : 20, next: wide ? 40 : 28 });

/**
 * What a list is made of.
 * @typedef {object} Asked
 * @property {(hint: number | bigint) => number} call  Emscripten's function, which makes an entry
 * @property {number | bigint} hint
 * @property {number | bigint} out
 * @property {readonly string[]} addresses
 * @property {number} port
 * @property {string} [name]  that the first address stands for; the others stand for themselves
 */

/** An address of IPv4 that is mapped into IPv6, as itself. @param {string} one */
const plain = (one) => one.replace(/^::ffff:(?=\d+\.)/, '');

export class AddressList {
	#program;
	/** By all that an entry says. @type {Map<string, Entry>} */
	#kept = new Map();

	/** @param {Program} program */
	constructor(program) {
		this.#program = program;
	}

	/**
	 * @param {Asked} asked
	 * @returns {number}  0 or EAI_*
	 */
	make({ call, hint, out, addresses, port, name }) {
		const wide = typeof out === 'bigint';
		const hints = this.#hints(hint);
		/** @param {string} one @param {number} family @returns {Entry | number} */
		const entry = (one, family) => {
			const result = this.#withHints([hints[0], family, hints[2], hints[3]], (at) => call(wide ? BigInt(at) : at));
			if (result !== 0) return result;
			const info = this.#pointer(address(out), wide);
			const made = { info, sockaddr: this.#pointer(info + fields(wide).sockaddr, wide), family };
			this.#fill(made, one, port);
			return made;
		};
		if (addresses.length === 0) {
			const result = call(hint);
			if (result === 0) this.#noteCover(out, name);
			if (result === 0) this.setPort(out, port);
			return result;
		}
		let next = 0;
		for (const one of addresses.slice(1).reverse()) {
			const family = one.includes(':') ? AF_INET6 : AF_INET;
			const key = [family, hints[2], hints[3], port, one, next].join(' ');
			let kept = this.#kept.get(key);
			if (!kept || !this.#isWhole(kept, wide)) {
				if (!kept && this.#kept.size >= MAX_KEPT) continue;
				const made = entry(one, family);
				if (typeof made === 'number') return made;
				kept = made;
				this.#kept.set(key, kept);
			}
			this.#fill(kept, one, port);
			this.#link(kept.info, next, wide);
			next = kept.info;
		}
		const [first] = addresses;
		const head = entry(first, first.includes(':') ? AF_INET6 : AF_INET);
		if (typeof head === 'number') return head;
		this.#link(head.info, next, wide);
		if (name !== undefined) {
			const { hosts } = this.#program;
			for (const one of addresses) hosts.forget(plain(one));
			hosts.note(name, plain(first));
		}
		return 0;
	}

	/** Writes the port into the only entry. @param {number | bigint} out @param {number} port */
	setPort(out, port) {
		this.#view().setUint16(this.#sockaddr(out) + 2, port);
	}

	/**
	 * The only entry is one of IPv6 for no host. Emscripten writes no address that its own
	 * functions can read.
	 * @param {number | bigint} out
	 * @param {number} flags  AI_*
	 */
	setNull(out, flags) {
		const at = this.#sockaddr(out) + IN6_ADDR;
		new Uint8Array(this.#program.heap32().buffer, at, 16).fill(0).fill(flags & AI_PASSIVE ? 0 : 1, 15);
	}

	/** Notes the made-up address in the only entry. @param {number | bigint} out @param {string | undefined} name */
	#noteCover(out, name) {
		if (name === undefined) return;
		const at = this.#sockaddr(out);
		const where = at + (this.#view().getUint16(at, true) === AF_INET6 ? 20 : 4);
		this.#program.hosts.note(name, new Uint8Array(this.#program.heap32().buffer, where, 4).join('.'));
	}

	/** @param {number | bigint} out */
	#sockaddr(out) {
		const wide = typeof out === 'bigint';
		return this.#pointer(this.#pointer(address(out), wide) + fields(wide).sockaddr, wide);
	}

	/** Flags, family, type and protocol that the program asks for. @param {number | bigint} hint */
	#hints(hint) {
		const at = address(hint);
		const view = this.#view();
		return Array.from({ length: HINT_WORDS }, (_, i) => (at ? view.getInt32(at + 4 * i, true) : 0));
	}

	/** @param {number[]} words @param {(at: number) => number} run */
	#withHints(words, run) {
		const heap = this.#program.heap32();
		const at = SCRATCH / 4;
		const before = heap.slice(at, at + HINT_WORDS);
		heap.set(words, at);
		try {
			return run(SCRATCH);
		} finally {
			this.#program.heap32().set(before, at);
		}
	}

	/** @param {Entry} entry @param {string} one @param {number} port */
	#fill({ sockaddr, family }, one, port) {
		new Uint8Array(this.#program.heap32().buffer).set(encode(family, one, port), sockaddr);
	}

	/** Reports whether a kept entry still says what it did: a C library that frees whole lists has freed it. @param {Entry} entry @param {boolean} wide */
	#isWhole({ info, sockaddr, family }, wide) {
		const at = fields(wide);
		return this.#view().getInt32(info + at.family, true) === family && this.#pointer(info + at.sockaddr, wide) === sockaddr;
	}

	/** @param {number} info @param {number} next @param {boolean} wide */
	#link(info, next, wide) {
		const at = info + fields(wide).next;
		if (wide) this.#view().setBigUint64(at, BigInt(next), true);
		else this.#view().setUint32(at, next, true);
	}

	/** @param {number} at @param {boolean} wide */
	#pointer(at, wide) {
		return pointerAt(this.#view(), at, wide);
	}

	#view() {
		return new DataView(this.#program.heap32().buffer);
	}
}
