// What went wrong, for people.

/**
 * Texts by the codes of connect_js.go, and by those of docs/PROTOCOL.md, section 7.
 * @type {Record<string, (target: { host: string, port: number, user: string, withKey: boolean }, said: string) => string>}
 */
const TEXTS = {
	auth: ({ host, user, withKey }) => `${host} refuses the user ${user} with this ${withKey ? 'key' : 'password'}.`,
	host_key: ({ host }) => `The key of ${host} was not trusted, so nothing was sent.`,
	key: (_, said) => `The private key cannot be read: ${said}.`,
	passphrase: () => 'The private key needs its passphrase, or another one.',
	lost: ({ host }, said) => `The connection to ${host} was lost: ${said}.`,
	ssh: ({ host, port }, said) => `What answers at ${host}:${port} does not speak SSH as expected: ${said}.`,
	refused: ({ host, port }) => `${host} refuses connections at port ${port}: no SSH server listens there.`,
	name_not_found: ({ host }) => `There is no host ${host}.`,
	denied: ({ host, port }) => `The sockmux server does not allow this target. Start it with --allow ${host}:${port}.`,
	silent: ({ host, port }) => `What listens at ${host}:${port} does not answer.`,
	timed_out: ({ host }) => `${host} does not answer.`,
	not_connected: (_, said) => `There is no connection to the sockmux server: ${said}.`,
};

/**
 * @param {any} error
 * @param {{ host: string, port: number, user: string, withKey: boolean }} target
 */
export function reasonFor(error, target) {
	const said = String(error?.message ?? error);
	return TEXTS[error?.code]?.(target, said) ?? said;
}
