// recvmsg() fills a struct msghdr in a program's memory, of 32 and of 64 bits.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { receiveBytes, receiveMessage } from '../../src/sockfs/calls/recvmsg.js';
import { AF_INET, AF_INET6, MSG } from '../../src/sockfs/flags.js';

const MESSAGE = 0x100;
const VECTORS = 0x200;
const NAME = 0x300;
const BUFFERS = 0x400;
/** What stands in memory before the call. */
const UNTOUCHED = 0xee;
const SENDER = { addr: 'name.test', port: 0x1234 };
/** The address that stands for a name. */
const shown = () => '192.0.2.7';

for (const [bits, size] of /** @type {const} */ ([[32, 4], [64, 8]])) {
	/**
	 * Memory with a struct msghdr, and a socket that gives out bytes.
	 * @param {{ lengths?: number[], named?: boolean, room?: number, bytes?: Uint8Array | null, family?: number }} [options]
	 *   lengths: of the buffers; room: for the name
	 */
	const start = ({ lengths = [4, 0, 3], named = true, room = 64, bytes = Buffer.from('datagram'), family = AF_INET } = {}) => {
		const heap = new Int32Array(0x200);
		const view = new DataView(heap.buffer);
		new Uint8Array(heap.buffer).fill(UNTOUCHED);
		const word = (/** @type {number} */ at, /** @type {number} */ value) => (size === 8 ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true));
		word(MESSAGE, named ? NAME : 0);
		view.setInt32(MESSAGE + size, room, true);
		word(MESSAGE + 2 * size, VECTORS);
		view.setInt32(MESSAGE + 3 * size, lengths.length, true);
		word(MESSAGE + 4 * size, 0x666); // room for control data
		view.setInt32(MESSAGE + 5 * size, 24, true);
		const at = lengths.map((_, i) => BUFFERS + 0x40 * i);
		lengths.forEach((length, i) => {
			word(VECTORS + 2 * size * i, at[i]);
			word(VECTORS + 2 * size * i + size, length);
		});
		/** @type {number[][]} */
		const asked = [];
		const program = /** @type {any} */ ({
			heap32: () => heap,
			ops: {
				recvmsg(/** @type {any} */ _sock, /** @type {number} */ length, /** @type {number} */ flags) {
					asked.push([length, flags]);
					if (!bytes) return null;
					const buffer = bytes.subarray(0, length);
					// As the operation of a UDP socket does it.
					if (flags & MSG.TRUNC) Object.defineProperty(buffer, 'byteLength', { value: bytes.length });
					return { buffer, ...SENDER };
				},
			},
		});
		const pointer = size === 8 ? BigInt(MESSAGE) : MESSAGE;
		return {
			asked,
			datagram: (flags = 0) => receiveMessage(program, { family }, pointer, flags, shown),
			stream: (flags = 0) => receiveBytes(program, { family }, pointer, flags),
			/** What each buffer and the byte behind it hold. */
			buffers: () => lengths.map((length, i) => Buffer.from(heap.buffer, at[i], length + 1).toString('latin1')),
			name: (/** @type {number} */ length) => [...new Uint8Array(heap.buffer, NAME, length)],
			nameLength: () => view.getInt32(MESSAGE + size, true),
			control: () => view.getInt32(MESSAGE + 5 * size, true),
			flags: () => view.getInt32(MESSAGE + 6 * size, true),
		};
	};
	const BEHIND = String.fromCharCode(UNTOUCHED);

	describe(`recvmsg() of ${bits} bits`, () => {
		test('a datagram that fits goes into the buffers in turn, and the rest stays', () => {
			const call = start({ lengths: [4, 0, 3, 9], bytes: Buffer.from('datagram') });
			assert.equal(call.datagram(MSG.DONTWAIT), 8);
			assert.deepEqual(call.buffers(), [`data${BEHIND}`, BEHIND, `gra${BEHIND}`, `m${BEHIND.repeat(9)}`]);
			assert.deepEqual([call.flags(), call.control()], [0, 0]);
			assert.deepEqual(call.asked, [[17, MSG.DONTWAIT]]);
		});

		test('a longer one is cut, and MSG_TRUNC says so', () => {
			const call = start();
			assert.equal(call.datagram(), 7);
			assert.deepEqual(call.buffers(), [`data${BEHIND}`, BEHIND, `gra${BEHIND}`]);
			assert.deepEqual([call.flags(), call.control()], [MSG.TRUNC, 0]);
		});

		test('one that fills the buffers is whole', () => {
			const call = start({ bytes: Buffer.from('exactly') });
			assert.equal(call.datagram(), 7);
			assert.equal(call.flags(), 0);
		});

		test('one without bytes, and a call without buffers', () => {
			const empty = start({ bytes: Buffer.alloc(0) });
			assert.equal(empty.datagram(), 0);
			assert.equal(empty.flags(), 0);
			const none = start({ lengths: [] });
			assert.equal(none.datagram(), 0);
			assert.equal(none.flags(), MSG.TRUNC);
		});

		test('the name is the address that stands for the sender, as far as there is room', () => {
			const whole = start();
			whole.datagram();
			assert.deepEqual(whole.name(17), [2, 0, 0x12, 0x34, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, UNTOUCHED]);
			assert.equal(whole.nameLength(), 16);
			const cut = start({ room: 6 });
			cut.datagram();
			assert.deepEqual(cut.name(7), [2, 0, 0x12, 0x34, 192, 0, UNTOUCHED]);
			assert.equal(cut.nameLength(), 16);
			const six = start({ family: AF_INET6 });
			six.datagram();
			assert.deepEqual(six.name(24).slice(18), [255, 255, 192, 0, 2, 7]);
			assert.equal(six.nameLength(), 28);
		});

		test('where no name is wanted, none is written', () => {
			const call = start({ named: false });
			assert.equal(call.datagram(), 7);
			assert.deepEqual(call.name(4), Array(4).fill(UNTOUCHED));
			assert.equal(call.nameLength(), 64);
		});

		test('with MSG_TRUNC the length is that of the datagram, as on Linux', () => {
			const call = start({ bytes: Buffer.from('a longer datagram') });
			assert.equal(call.datagram(MSG.PEEK | MSG.TRUNC), 17);
			assert.deepEqual(call.buffers(), [`a lo${BEHIND}`, BEHIND, `nge${BEHIND}`]);
			assert.equal(call.flags(), MSG.TRUNC);
			assert.deepEqual(call.asked, [[8, MSG.PEEK | MSG.TRUNC]]);
			const fits = start({ bytes: Buffer.from('short') });
			assert.equal(fits.datagram(MSG.TRUNC), 5);
			assert.equal(fits.flags(), 0);
		});

		test('bytes of a stream fill the buffers and have no name', () => {
			const call = start({ bytes: Buffer.from('stream of bytes') });
			assert.equal(call.stream(MSG.WAITALL), 7);
			assert.deepEqual(call.asked, [[7, MSG.WAITALL]]);
			assert.deepEqual(call.buffers(), [`stre${BEHIND}`, BEHIND, `am ${BEHIND}`]);
			assert.deepEqual([call.nameLength(), call.flags(), call.control()], [0, 0, 0]);
			assert.deepEqual(call.name(4), Array(4).fill(UNTOUCHED));
			const unnamed = start({ named: false });
			unnamed.stream();
			assert.equal(unnamed.nameLength(), 64);
		});

		test('the end of a stream is 0', () => {
			const call = start({ bytes: null });
			assert.equal(call.stream(), 0);
			assert.deepEqual([call.flags(), call.control()], [0, 0]);
			assert.deepEqual(call.buffers()[0], BEHIND.repeat(5));
		});
	});
}
