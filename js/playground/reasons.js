// The codes in words that a visitor understands.

/** @type {Partial<Record<import('../types/sockmux.d.ts').Code, string>>} */
const WORDS = {
	ok: 'closed',
	refused: 'refused',
	host_unreachable: 'host unreachable',
	network_unreachable: 'network unreachable',
	timed_out: 'timed out',
	name_not_found: 'no such name',
	denied: 'denied by the server’s policy',
	limit: 'a limit is reached',
	reset: 'reset by the target',
	aborted: 'given up',
	idle: 'idle for too long',
	name_failed: 'the resolver failed',
	address_not_available: 'address not available',
	invalid_request: 'not a valid target',
	unauthorized: 'not authorised',
	expired: 'credentials have expired',
	draining: 'the server is going away',
	session_lost: 'the session was lost',
	unknown_session: 'the session was lost',
	fake_address: 'an address of Emscripten’s fake DNS',
	not_connected: 'no connection to the server',
};

/** @param {string} name  of the protocol's table */
export function codeText(name) {
	return /** @type {Record<string, string | undefined>} */ (WORDS)[name] ?? name.replaceAll('_', ' ');
}
