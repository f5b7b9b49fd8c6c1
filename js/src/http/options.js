// The member `sockmux` of what fetch() takes, and `tls` of connect().

import { shown } from '../api/errors.js';

/** @typedef {import('./client.js').TlsSettings} TlsSettings */

/**
 * @typedef {object} TlsChoices
 * @property {string | readonly string[]} [roots]  certificates of authorities as PEM, beside the built-in ones
 * @property {boolean} [onlyRoots]  whether the built-in ones do not count; default: false
 * @property {readonly string[]} [pins]  one of the certificates must have one of these public keys: "sha256/" and the hash (RFC 7469) in base64
 */

/**
 * @typedef {TlsChoices & { allHeaders?: boolean }} FetchChoices
 *   allHeaders: headers that browsers keep from pages are sent and shown; default: false
 */

const TLS_NAMES = ['roots', 'onlyRoots', 'pins'];

/**
 * Reads TLS settings. Throws a TypeError.
 * @param {TlsChoices} given
 * @param {string} where  they stand, for errors
 * @param {readonly string[]} [others]  names that have another meaning
 * @returns {TlsSettings}
 */
export function tlsSettings(given, where, others = []) {
	if (typeof given !== 'object' || given === null) throw new TypeError(`${where} ${shown(given)} is no object`);
	for (const name of Object.keys(given)) {
		if (![...TLS_NAMES, ...others].includes(name)) throw new TypeError(`${where}.${name} is no option: there are ${[...TLS_NAMES, ...others].join(', ')}`);
	}
	const { roots = '', onlyRoots = false, pins = [] } = given;
	const text = typeof roots === 'string' ? roots : Array.isArray(roots) ? roots.join('\n') : null;
	// eslint-disable-next-line no-control-regex -- NUL ends a field
	if (text === null || /[^\x01-\x7f]/.test(text)) throw new TypeError(`${where}.roots is not text in PEM`);
	if (!Array.isArray(pins) || !pins.every((pin) => /^sha256\/[A-Za-z0-9+/]{43}=$/.test(pin))) {
		throw new TypeError(`${where}.pins are "sha256/" and the SHA-256 of a public key in base64`);
	}
	return { roots: text, onlyRoots: Boolean(onlyRoots), pins: pins.map((pin) => pin.slice('sha256/'.length)) };
}
