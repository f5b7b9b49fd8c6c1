// The page's half of the sockets of webR's workers.

import { attach } from '../../webr/attach.js';
import { failureText, textOf } from '../../webr/notes.js';
import { Bridges } from '../../blocking/bridges.js';
import { opener, resolver } from '../opener.js';
import { fetchPart } from '../parts.js';

/**
 * What serves webR's workers.
 * @typedef {{ bridges: Bridges, attach: (webR: any) => Promise<void>, textOf: (note: string) => string }} WebRPart
 */

/** @typedef {(parts: import('../opener.js').Parts) => WebRPart} WebRPartOf */

/** @type {WebRPartOf} */
export default (parts) => {
	const { scope, config, report } = parts;
	const bridges = new Bridges({ open: opener(parts), resolve: resolver(parts), report, failed: (target, why) => report(failureText(target, why)) });
	return { bridges, textOf, attach: (webR) => attach({ bridges, source: () => fetchPart(config.files.worker), scope }, webR) };
};
