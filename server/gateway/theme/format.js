// Numbers for people.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/**
 * Bytes with three significant digits in decimal units: "0 B", "13.4 kB".
 * @param {number} bytes
 */
export function formatBytes(bytes) {
	let value = bytes;
	let unit = 0;
	while (value >= 999.5 && unit < UNITS.length - 1) {
		value /= 1000;
		unit++;
	}
	if (unit === 0) return `${Math.round(value)} B`;
	return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

/**
 * A short time in milliseconds: "0.8 ms", "27 ms", "1.25 s".
 * @param {number} ms
 */
export function formatMilliseconds(ms) {
	if (ms < 9.95) return `${ms.toFixed(1)} ms`;
	if (ms < 999.5) return `${Math.round(ms)} ms`;
	return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
}

/**
 * An age in milliseconds, in its two largest units: "4 s", "3 min 10 s", "2 h 5 min", "6 d 1 h".
 * @param {number} ms
 */
export function formatAge(ms) {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	/** @type {[number, string][]} */
	const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
	const first = units.findIndex(([size]) => seconds >= size);
	if (first < 0) return '0 s';
	return units.slice(first, first + 2).map(([size], i, both) => {
		const within = i === 0 ? seconds : seconds % both[0][0];
		return `${Math.floor(within / size)} ${both[i][1]}`;
	}).filter((text, i) => i === 0 || !text.startsWith('0 ')).join(' ');
}

/** @param {number} count */
export function formatCount(count) {
	return count.toLocaleString('en-GB');
}

/**
 * A count with its noun: "1 socket", "3 sockets".
 * @param {number} count
 * @param {string} noun
 */
export function formatNoun(count, noun) {
	return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * The time of day: "14:03:27".
 * @param {number} at  Unix time in milliseconds
 */
export function formatClock(at) {
	return new Date(at).toLocaleTimeString('en-GB');
}
