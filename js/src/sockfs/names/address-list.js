// The list of addresses that getaddrinfo() gives, in a program's memory. Emscripten's function
// makes one entry, and its freeaddrinfo() frees one. The entries behind the first are therefore
// kept, and used again for the same addresses.

import { unmapped } from '../../tunnel/ip.js';
import { encode } from '../calls/sockaddr.js';
import { pointerAt } from '../calls/iovec.js';
import { AF_INET, AF_INET6 } from '../flags.js';
import { address } from '../memory.js';

/** @typedef {import('../program/program.js').Program} Program */

/** An entry behind the first. @typedef {{ info: number, sockaddr: number, family: number }} Entry */
/** A socket's kind and its protocol. @typedef {readonly [type: number, protocol: number]} Kind */

/** Entries that are kept at most, each of some 80 bytes. What has no room is left out of lists. */
const MAX_KEPT = 256;

/** What Emscripten's function is asked for: an address of the family, which it takes as it is. */
const NODES = new Map([[AF_INET, '0.0.0.0\0'], [AF_INET6, '::\0\0\0\0\0\0']]);

/**
 * Four numbers of hints and a text are written there, and what stood there is put back. Emscripten keeps
 * nothing in this part of the memory but the deepest words of the stack.
 */
const SCRATCH = 64;
const HINT_WORDS = 4;
const NODE_WORDS = 2;

/** Where the fields of struct addrinfo stand, and its size; those of pointers differ with 64-bit memory. */
const fields = (/** @type {boolean} */ wide) => ({ family: 4, sockaddr: wide ? 24 : 20, canon: wide ? 32 : 24, next: wide ? 40 : 28, size: wide ? 48 : 32 });

/**
 * What a list is made of.
 * @typedef {object} Asked
 * @property {(hint: number | bigint, node?: number | bigint) => number} call  Emscripten's function, which makes an entry; node: in
 *   place of the program's
 * @property {number | bigint} hint
 * @property {number | bigint} out
 * @property {readonly string[]} addresses
 * @property {readonly Kind[]} kinds  each address has an entry for each
 * @property {number} port
 * @property {{ text: string, at: number }} [canon]  the name that the first entry tells, and where the program has it
 * @property {string} [name]  that the first address stands for; the others stand for themselves
 */

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
	make({ call, hint, out, addresses, kinds, port, name, canon }) {
		const wide = typeof out === 'bigint';
		const [flags] = this.#hints(hint);
		/** @param {string} one @param {number} family @param {Kind} kind @returns {Entry | number} */
		const entry = (one, family, kind) => {
			const result = this.#withHints([flags, family, ...kind], NODES.get(family) ?? '', (at, node) => (wide ? call(BigInt(at), BigInt(node)) : call(at, node)));
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
		const text = canon && this.#text(canon, () => entry('::', AF_INET6, kinds[0]), wide);
		const all = addresses.flatMap((one) => kinds.map((kind) => ({ one, kind, family: one.includes(':') ? AF_INET6 : AF_INET })));
		let next = 0;
		for (const { one, kind, family } of all.slice(1).reverse()) {
			const key = [family, ...kind, port, one, next].join(' ');
			let kept = this.#kept.get(key);
			if (!kept || !this.#isWhole(kept, wide)) {
				if (!kept && this.#kept.size >= MAX_KEPT) continue;
				const made = entry(one, family, kind);
				if (typeof made === 'number') return made;
				kept = made;
				this.#kept.set(key, kept);
			}
			this.#fill(kept, one, port);
			this.#set(kept.info + fields(wide).next, next, wide);
			next = kept.info;
		}
		const [first] = all;
		const head = entry(first.one, first.family, first.kind);
		if (typeof head === 'number') return head;
		this.#set(head.info + fields(wide).next, next, wide);
		if (text !== undefined) this.#set(head.info + fields(wide).canon, text, wide);
		if (name !== undefined) {
			const { hosts } = this.#program;
			for (const one of addresses) hosts.forget(unmapped(one));
			hosts.note(name, unmapped(first.one));
		}
		return 0;
	}

	/**
	 * Where a text stands that outlives the call: in an entry that is kept for it. One that is longer than
	 * an entry stands where the program has it.
	 * @param {NonNullable<Asked['canon']>} canon
	 * @param {() => Entry | number} make
	 * @param {boolean} wide
	 */
	#text({ text, at }, make, wide) {
		const bytes = new TextEncoder().encode(`${text}\0`);
		if (bytes.length > fields(wide).size) return at;
		const key = `name ${text}`;
		let kept = this.#kept.get(key);
		if (!kept) {
			const made = this.#kept.size < MAX_KEPT ? make() : 0;
			if (typeof made === 'number') return at;
			kept = made;
			this.#kept.set(key, kept);
		}
		new Uint8Array(this.#program.heap32().buffer).set(bytes, kept.info);
		return kept.info;
	}

	/** Writes the port into the only entry. @param {number | bigint} out @param {number} port */
	setPort(out, port) {
		this.#view().setUint16(this.#sockaddr(out) + 2, port);
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

	/** @param {number[]} words @param {string} node @param {(hint: number, node: number) => number} run */
	#withHints(words, node, run) {
		const heap = this.#program.heap32();
		const at = SCRATCH / 4;
		const before = heap.slice(at, at + HINT_WORDS + NODE_WORDS);
		heap.set(words, at);
		const text = SCRATCH + 4 * HINT_WORDS;
		new Uint8Array(heap.buffer).set(new TextEncoder().encode(node), text);
		try {
			return run(SCRATCH, text);
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

	/** Writes a pointer. @param {number} at @param {number} value @param {boolean} wide */
	#set(at, value, wide) {
		if (wide) this.#view().setBigUint64(at, BigInt(value), true);
		else this.#view().setUint32(at, value, true);
	}

	/** @param {number} at @param {boolean} wide */
	#pointer(at, wide) {
		return pointerAt(this.#view(), at, wide);
	}

	#view() {
		return new DataView(this.#program.heap32().buffer);
	}
}
