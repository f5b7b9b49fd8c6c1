// Numbers for people.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/**
 * Bytes with three significant digits in decimal units: "0 B", "13.4 kB", "10.0 MB".
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
 * A duration given in milliseconds: "0.8 ms", "27 ms", "1.25 s".
 * @param {number} ms
 */
export function formatDuration(ms) {
	if (ms < 9.95) return `${ms.toFixed(1)} ms`;
	if (ms < 999.5) return `${Math.round(ms)} ms`;
	return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
}

/** @param {number} count */
export function formatCount(count) {
	return count.toLocaleString('en-GB');
}
