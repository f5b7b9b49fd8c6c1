// What webR needs of the page.

/** What a page can do that is not cross-origin isolated. */
export const NOT_ISOLATED =
	'this page is not cross-origin isolated, so webR uses its PostMessage channel, in which R cannot wait for a socket and its connections fail. '
	+ 'Send the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp" (or "credentialless") with the page, '
	+ 'or use coi-serviceworker where headers cannot be set';
