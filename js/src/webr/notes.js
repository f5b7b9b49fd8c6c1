// What the console says where the layer stays out of webR's worker. The texts belong to
// the part that is loaded with webR.

export const NOTES = Object.freeze({
	/** The page cannot share memory. */
	isolated: 'this page is not cross-origin isolated, so webR uses its PostMessage channel, in which R cannot wait for a socket and its connections fail. '
		+ 'Send the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp" (or "credentialless") with the page, '
		+ 'or use coi-serviceworker where headers cannot be set',

	/** The worker with the layer in front did not start. */
	blob: 'the layer could not be put into webR\'s worker: the page\'s Content-Security-Policy forbids workers from blob: URLs, or scripts of the server or of webR in them '
		+ '(Trusted Types forbid them as well). Add blob: to worker-src and the server to script-src, or call "await sockmux.attach(webR)" after "new WebR()"',
});

/**
 * The text of a note. Texts that are no key stay as they are.
 * @param {string} note
 */
export const textOf = (note) => (Object.hasOwn(NOTES, note) ? NOTES[/** @type {keyof typeof NOTES} */ (note)] : note);

/**
 * What the console says of a connection or a listener that never opened.
 * @param {string} what  such as "connection to example.org:80"
 * @param {string | null} why  null: R did not wait for that
 */
export const failureText = (what, why) => `R's ${what} failed: ${why ?? 'R gave it up before there was an answer'}`;
