// The exceptions of Direct Sockets.

/** A name or an address that the policy forbids is a permission that is missing. */
const FORBIDDEN = new Set(/** @type {import('../wire/codes.js').CodeName[]} */ (['denied', 'unauthorized', 'expired']));

/**
 * The exception that Direct Sockets has in place of ours, which is its cause.
 * @param {import('./errors.js').SocketError} error
 */
export function thrownBy(error) {
	const exception = new DOMException(error.message, FORBIDDEN.has(error.code) ? 'NotAllowedError' : 'NetworkError');
	exception.cause = error;
	return exception;
}
