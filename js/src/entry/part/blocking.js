// The page's half of the sockets of workers that may block: webR's, and all others.

import { Bridges } from '../../blocking/bridges.js';
import { createNotes } from '../../blocking/notes.js';
import { attach } from '../../webr/attach.js';
import { failureText, textOf } from '../../webr/notes.js';
import { exchanger, opener, resolver } from '../opener.js';
import { fetchPart } from '../parts.js';

/**
 * What serves the workers.
 * @typedef {object} BlockingPart
 * @property {Bridges} webr
 * @property {Bridges} others
 * @property {(webR: any) => Promise<void>} attach
 * @property {(note: string, about?: string | Blob) => Promise<void>} say  tells the user, each line once: a name in webr/notes.js or blocking/notes.js, or a text
 * @property {() => void} remove  ends all sockets
 */

/** @typedef {(parts: import('../opener.js').Parts) => BlockingPart} BlockingPartOf */

/** @type {BlockingPartOf} */
export default (parts) => {
	const { scope, config, report } = parts;
	const common = { open: opener(parts), resolve: resolver(parts), exchange: exchanger(parts), report, binds: config.listen };
	const webr = new Bridges({ ...common, failed: (what, why) => report(failureText(what, why)) });
	// A program that gave up knows that itself.
	const others = new Bridges({ ...common, failed: (what, why) => why !== null && report(`${what} failed: ${why}`) });
	return {
		webr,
		others,
		say: createNotes(report, textOf),
		attach: (webR) => attach({ bridges: webr, source: () => fetchPart(config.files.webrWorker), scope }, webR),
		remove() {
			webr.close();
			others.close();
		},
	};
};
