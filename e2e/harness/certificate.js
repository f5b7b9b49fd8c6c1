// A certificate that signs itself, for a TLS server of the tests (RFC 5280, ECDSA on P-256).

import { generateKeyPairSync, sign } from 'node:crypto';

const TAG = Object.freeze({ boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, text: 12, sequence: 0x30, set: 0x31, time: 0x17, version: 0xa0, extensions: 0xa3 });
/** In subjectAltName: a name of the DNS, an address. */
const SAN = Object.freeze({ name: 0x82, address: 0x87 });
const OID = Object.freeze({
	ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
	commonName: [0x55, 4, 3],
	basicConstraints: [0x55, 29, 19],
	subjectAltName: [0x55, 29, 17],
});

/**
 * One element of DER.
 * @param {number} tag
 * @param {...(Buffer | number[] | string)} parts
 */
function der(tag, ...parts) {
	const body = Buffer.concat(parts.map((part) => Buffer.from(/** @type {any} */ (part))));
	const { length } = body;
	const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
	return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

/** @param {number[]} oid @param {Buffer} value @param {boolean} [critical] */
const extension = (oid, value, critical = false) => der(TAG.sequence, der(TAG.oid, oid), ...(critical ? [der(TAG.boolean, [255])] : []), der(TAG.octets, value));

/**
 * Makes a key and a certificate, which is its own authority.
 * @param {string} host  a name
 * @param {number[]} address  the four bytes of an IPv4 address
 * @returns {{ key: string, cert: string }}  PEM
 */
export function makeCertificate(host, address) {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const algorithm = der(TAG.sequence, der(TAG.oid, OID.ecdsaWithSha256));
	const name = der(TAG.sequence, der(TAG.set, der(TAG.sequence, der(TAG.oid, OID.commonName), der(TAG.text, host))));
	const extensions = der(TAG.sequence,
		extension(OID.basicConstraints, der(TAG.sequence, der(TAG.boolean, [255])), true),
		extension(OID.subjectAltName, der(TAG.sequence, der(SAN.name, host), der(SAN.address, address))));
	const body = der(TAG.sequence,
		der(TAG.version, der(TAG.integer, [2])), der(TAG.integer, [1]), algorithm, name,
		der(TAG.sequence, der(TAG.time, '200101000000Z'), der(TAG.time, '491231235959Z')),
		name, publicKey.export({ type: 'spki', format: 'der' }), der(TAG.extensions, extensions));
	const whole = der(TAG.sequence, body, algorithm, der(TAG.bits, [0], sign('sha256', body, privateKey)));
	const lines = /** @type {string[]} */ (whole.toString('base64').match(/.{1,64}/g));
	return {
		key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
		cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
	};
}
