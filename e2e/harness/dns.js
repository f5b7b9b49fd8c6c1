// A DNS server on loopback that knows a few names (RFC 1035): A, AAAA and PTR records.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

const TYPES = Object.freeze({ A: 1, PTR: 12, AAAA: 28 });
const TTL = 60;
const NO_SUCH_NAME = 3;

/** A name as labels, each behind its length. @param {string} name */
const labels = (name) => Buffer.concat([...name.split('.').filter(Boolean), ''].map((label) => Buffer.from([label.length, ...Buffer.from(label)])));

/** @param {Buffer} message  a query */
function question(message) {
	const names = [];
	let at = 12;
	for (let length = message[at]; length > 0; length = message[at]) {
		names.push(message.toString('latin1', at + 1, at + 1 + length));
		at += 1 + length;
	}
	return { name: names.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** The bytes of an IPv6 address. @param {string} text */
function six(text) {
	const [head, tail = []] = text.split('::').map((half) => half.split(':').filter(Boolean).map((group) => parseInt(group, 16)));
	const groups = [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail];
	return Buffer.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** @param {string} value  an address, or a name */
function record(value) {
	if (isIPv6(value)) return { type: TYPES.AAAA, data: six(value) };
	if (/^[\d.]+$/.test(value)) return { type: TYPES.A, data: Buffer.from(value.split('.').map(Number)) };
	return { type: TYPES.PTR, data: labels(value) };
}

/**
 * @param {Record<string, string[]>} zone  addresses, or names, by name
 * @returns {Promise<{ address: string, stop: () => Promise<void> }>}
 */
export async function startDns(zone) {
	const server = createSocket('udp4');
	server.on('message', (message, from) => {
		const { name, type, end } = question(message);
		const found = (zone[name] ?? []).map(record).filter((one) => one.type === type);
		const header = Buffer.alloc(12);
		message.copy(header, 0, 0, 2);
		header.writeUInt16BE(0x8180 | (zone[name] ? 0 : NO_SUCH_NAME), 2);
		header.writeUInt16BE(1, 4);
		header.writeUInt16BE(found.length, 6);
		const answers = found.map(({ data }) => {
			const fixed = Buffer.alloc(12);
			fixed.writeUInt16BE(0xc00c, 0);
			fixed.writeUInt16BE(type, 2);
			fixed.writeUInt16BE(1, 4);
			fixed.writeUInt32BE(TTL, 6);
			fixed.writeUInt16BE(data.length, 10);
			return Buffer.concat([fixed, data]);
		});
		server.send(Buffer.concat([header, message.subarray(12, end), ...answers]), from.port, from.address);
	});
	server.bind(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		address: `127.0.0.1:${server.address().port}`,
		async stop() {
			server.close();
			await once(server, 'close');
		},
	};
}
