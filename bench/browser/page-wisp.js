// The page's connection of the Wisp client.

let connection;

/** Returns the one connection, when it is open. */
export function wispConnection() {
	return (connection ??= import('/wisp/wisp-client.mjs').then(({ client: { ClientConnection } }) => new Promise((resolve, reject) => {
		const opening = new ClientConnection(new URL(location.href).searchParams.get('wisp'));
		opening.onopen = () => resolve(opening);
		opening.onclose = opening.onerror = () => reject(new Error('wisp: no connection'));
	})));
}
