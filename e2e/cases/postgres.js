// PostgreSQL's protocol as far as one SELECT.

const SSL_REQUEST = 80877103;

/** @param {string} text */
const cstring = (text) => Buffer.from(`${text}\0`);
/** @param {number} value */
const int32 = (value) => {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32BE(value);
	return bytes;
};
/** @param {number} value */
const int16 = (value) => int32(value).subarray(2);
/** @param {string} type @param {...(Buffer | string)} parts */
const message = (type, ...parts) => {
	const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? cstring(part) : part)));
	return Buffer.concat([Buffer.from(type), int32(4 + body.length), body]);
};

const READY = message('Z', Buffer.from('I'));
const ROWS = [['1', 'eins'], ['2', null], ['3', 'drei \u20ac']];

const column = (/** @type {string} */ name) => Buffer.concat([cstring(name), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]);
const cell = (/** @type {string | null} */ text) => (text === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]));

const GRANTED = Buffer.concat([message('R', int32(0)), message('S', 'server_version', '15.0'), message('K', int32(42), int32(7)), READY]);
const REFUSED = message('E', 'SFATAL', 'C28P01', 'Mpassword authentication failed', Buffer.from([0]));
const ANSWER = Buffer.concat([
	message('T', int16(2), column('id'), column('name')),
	...ROWS.map((row) => message('D', int16(2), ...row.map(cell))),
	message('C', 'SELECT 3'),
	READY,
]);

/** @param {import('node:net').Socket} socket */
export function postgres(socket) {
	let buffer = Buffer.alloc(0);
	let started = false;
	/** The next message without its length, if it is there. @param {number} at  of its length */
	const next = (at) => {
		if (buffer.length < at + 4 || buffer.length < at + buffer.readInt32BE(at)) return null;
		const end = at + buffer.readInt32BE(at);
		const found = { type: buffer.subarray(0, at).toString(), body: buffer.subarray(at + 4, end) };
		buffer = buffer.subarray(end);
		return found;
	};
	socket.on('data', (data) => {
		buffer = Buffer.concat([buffer, data]);
		for (let found = next(started ? 1 : 0); found; found = next(started ? 1 : 0)) {
			const { type, body } = found;
			if (!started) {
				started = body.readInt32BE(0) !== SSL_REQUEST;
				socket.write(started ? message('R', int32(3)) : 'N');
			} else if (type === 'p' && body.toString() === 'secret\0') socket.write(GRANTED);
			else if (type === 'p') socket.end(REFUSED);
			else if (type === 'Q') socket.write(ANSWER);
			else if (type === 'X') socket.end();
		}
	});
}
