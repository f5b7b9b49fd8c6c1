// Certificates for TLS servers of the tests (RFC 5280, ECDSA on P-256).

import { generateKeyPairSync, sign } from 'node:crypto';

const TAG = Object.freeze({ boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, text: 12, sequence: 0x30, set: 0x31, time: 0x17, version: 0xa0, extensions: 0xa3 });
/** In subjectAltName: a name of the DNS, an address. */
const SAN = Object.freeze({ name: 0x82, address: 0x87 });
const OID = Object.freeze({
	ecdsaWithSha1: [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
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
 * A key with its certificate.
 * @typedef {{ key: string, cert: string, name: Buffer, spki: Buffer, privateKey: import('node:crypto').KeyObject }} Identity  key and cert are PEM, spki is the public key
 */

/**
 * @typedef {object} CertificateOptions
 * @property {Identity} [issuer]  default: itself
 * @property {boolean} [authority]  may sign others; default: where it is its own issuer
 * @property {string} [from]  the first second, as YYMMDDHHMMSSZ
 * @property {string} [until]  the last one
 * @property {'sha256' | 'sha1'} [hash]  of the signature
 */

/**
 * Makes a key and a certificate, which is its own authority if there is no issuer.
 * @param {string} host  a name
 * @param {number[]} address  the four bytes of an IPv4 address
 * @param {CertificateOptions} [options]
 * @returns {Identity}
 */
export function makeCertificate(host, address, { issuer, authority = !issuer, from = '200101000000Z', until = '491231235959Z', hash = 'sha256' } = {}) {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const algorithm = der(TAG.sequence, der(TAG.oid, hash === 'sha1' ? OID.ecdsaWithSha1 : OID.ecdsaWithSha256));
	const name = der(TAG.sequence, der(TAG.set, der(TAG.sequence, der(TAG.oid, OID.commonName), der(TAG.text, host))));
	const extensions = der(TAG.sequence,
		extension(OID.basicConstraints, der(TAG.sequence, ...(authority ? [der(TAG.boolean, [255])] : [])), true),
		extension(OID.subjectAltName, der(TAG.sequence, der(SAN.name, host), der(SAN.address, address))));
	const body = der(TAG.sequence,
		der(TAG.version, der(TAG.integer, [2])), der(TAG.integer, [1]), algorithm, issuer?.name ?? name,
		der(TAG.sequence, der(TAG.time, from), der(TAG.time, until)),
		name, publicKey.export({ type: 'spki', format: 'der' }), der(TAG.extensions, extensions));
	const whole = der(TAG.sequence, body, algorithm, der(TAG.bits, [0], sign(hash, body, issuer?.privateKey ?? privateKey)));
	const lines = /** @type {string[]} */ (whole.toString('base64').match(/.{1,64}/g));
	return {
		key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
		cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
		name,
		spki: publicKey.export({ type: 'spki', format: 'der' }),
		privateKey,
	};
}
