// Conversations with an echo: each byte is known, and the longest silence is measured.

const LONGEST = 30_000;

/**
 * The bytes that a conversation has from a position on: dull for no shift and no swap of
 * conversations.
 */
const pattern = (seed, at, length) => {
	const bytes = new Uint8Array(length);
	for (let i = 0; i < length; i++) {
		const n = at + i;
		bytes[i] = (n * 31 + (n >> 8) * 17 + (n >> 16) * 7 + seed * 101) & 255;
	}
	return bytes;
};

/** What all conversations have seen. */
globalThis.talk = { exchanges: 0, bytes: 0, wrong: 0, lost: [], longest: 0, ended: 0, running: true };

/** Talks to an echo until talk.running is false; then closes and expects the end. */
globalThis.converse = async (port, seed) => {
	const { talk } = globalThis;
	const socket = globalThis.sockmux.connect('127.0.0.1', port);
	socket.closed.catch(() => {});
	const writer = socket.writable.getWriter();
	const reader = socket.readable.getReader();
	let at = 0;
	try {
		for (let round = 0; talk.running; round++) {
			const length = 1 + (seed * 7919 + round * 104729) % LONGEST;
			const began = performance.now();
			await writer.write(pattern(seed, at, length));
			for (let got = 0; got < length;) {
				const { value, done } = await reader.read();
				if (done) throw new Error(`the end after ${at + got} bytes`);
				const want = pattern(seed, at + got, value.length);
				talk.wrong += value.some((byte, i) => byte !== want[i]);
				got += value.length;
			}
			talk.longest = Math.max(talk.longest, performance.now() - began);
			at += length;
			talk.bytes += length;
			talk.exchanges++;
		}
		await writer.close();
		const last = await reader.read();
		if (!last.done) throw new Error(`${last.value.length} bytes behind the last`);
		talk.ended++;
	} catch (error) {
		talk.lost.push(`socket ${seed} after ${at} bytes: ${error?.name} ${error?.code ?? ''} ${error?.message}`);
	}
};
