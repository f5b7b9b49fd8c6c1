import { createServer } from 'node:net';

/** A port that was free a moment ago. @returns {Promise<number>} */
export const freePort = () => new Promise((resolve) => {
	const server = createServer().listen(0, '127.0.0.1', () => {
		const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
		server.close(() => resolve(port));
	});
});
