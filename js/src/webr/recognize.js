// Which workers are webR's.

/**
 * A worker by the name of its script, as webR starts it from the page's own origin.
 * @param {string} url  absolute
 */
export function isWebRUrl(url) {
	return /\/webr-worker(\.min)?\.js$/.test(url.replace(/[?#].*/, ''));
}

/**
 * A worker by its text, as webR starts it from a blob when it comes from another origin.
 * @param {string} text
 */
export function isWebRText(text) {
	// The message by which webR's worker asks the page for a WebSocket, and the object
	// that its R calls.
	return text.includes('proxyWebSocket') && text.includes('webr');
}
