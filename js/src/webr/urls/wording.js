// What R says of a download: libcurl's words for failures (curl_easy_strerror), and R's own for
// statuses and sizes.

/** libcurl's words by the names of our codes; the others have none there. @type {Record<string, string>} */
const CURL = {
	refused: 'Could not connect to server',
	host_unreachable: 'Could not connect to server',
	network_unreachable: 'Could not connect to server',
	name_not_found: 'Could not resolve hostname',
	name_failed: 'Could not resolve hostname',
	reset: 'Failure when receiving data from the peer',
};

/** What has come is not all. */
export const PARTIAL = 'Transferred a partial file';

/** @param {string} name  of a code @param {string} text */
export const curlWords = (name, text) => CURL[name] ?? (text ? `${name}: ${text}` : name);

/** R's own table: a status line's text does not count, and HTTP/2 has none. @type {Record<number, string>} */
const STATUS = {
	400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
	406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required',
	412: 'Precondition Failed', 413: 'Request Entity Too Large', 414: 'Request-URI Too Long', 415: 'Unsupported Media Type',
	416: 'Requested Range Not Satisfiable', 417: 'Expectation Failed', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
	503: 'Service Unavailable', 504: 'Gateway Timeout',
};

/** @param {number} status */
export const statusWords = (status) => `${status} ${STATUS[status] ?? 'Unknown Error'}`;

const KILO = 1024;
const MEGA = KILO * KILO;
/** Sizes above this are in kilobytes. */
const LARGE = 10 * KILO;
/** Characters of a whole bar. */
const BAR = 50;

/** The size that is known beforehand. @param {string | undefined} type @param {number} bytes */
export function announced(type, bytes) {
	const size = bytes > MEGA ? ` (${(bytes / MEGA).toFixed(1)} MB)` : bytes > LARGE ? ` (${Math.floor(bytes / KILO)} KB)` : '';
	return `Content type '${type ?? 'unknown'}' length ${bytes} bytes${size}\n`;
}

/** @param {number} bytes */
export function downloaded(bytes) {
	if (bytes > MEGA) return `downloaded ${(bytes / MEGA).toFixed(1)} MB\n\n`;
	return bytes > LARGE ? `downloaded ${Math.floor(bytes / KILO)} KB\n\n` : `downloaded ${bytes} bytes\n\n`;
}

/** Characters of the bar at so many bytes. @param {number} bytes @param {number} all */
export const barAt = (bytes, all) => Math.min(BAR, Math.floor(BAR * bytes / all));
