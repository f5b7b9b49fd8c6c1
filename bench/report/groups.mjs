// The order of the families in the report: what people do comes first.

/** @typedef {import('../browser/report.mjs').Measurement} Measurement */

/** A family that is in no group comes behind those that are in the last one. */
const GROUPS = [
	{ title: 'First and short: what people do', families: ['cold', 'warm', 'idle', 'busy', 'webR cold', 'webR', 'latency', 'open', 'start', 'size', 'echo under bulk', 'datagrams'] },
	{ title: 'Steady state in the browser', families: ['bulk', 'long tasks'] },
	{ title: 'The Go client and the server', families: ['native bulk', 'native CPU', 'native allocations', 'native open', 'full POSIX sockets', 'native listen', 'long line', 'idle stream', 'idle session'] },
];

/**
 * The groups with those of their families that there are; 'cold, LAN' belongs to 'cold'.
 * @param {string[]} families
 * @returns {{ title: string, members: string[] }[]}
 */
export function grouped(families) {
	const all = GROUPS.flatMap((group, number) => group.families.map((name) => ({ name, number })));
	const placeOf = (family) => {
		const place = all.findIndex(({ name }) => family === name || family.startsWith(`${name}, `));
		return place < 0 ? all.length : place;
	};
	const sorted = [...families].sort((a, b) => placeOf(a) - placeOf(b));
	return GROUPS.map(({ title }, number) => ({
		title,
		members: sorted.filter((family) => (all[placeOf(family)]?.number ?? GROUPS.length - 1) === number),
	})).filter(({ members }) => members.length > 0);
}

/**
 * Takes the family "warm" away where there is "cold" and gives each measurement of that
 * its values in `warm`.
 * @param {Map<string, Map<string, Measurement & { warm?: Record<string, number[]> }>>} families
 */
export function sideBySide(families) {
	const [cold, warm] = [families.get('cold'), families.get('warm')];
	if (!cold || !warm) return;
	for (const [key, measurement] of cold) {
		if (warm.has(key)) measurement.warm = warm.get(key).values;
	}
	families.delete('warm');
}
