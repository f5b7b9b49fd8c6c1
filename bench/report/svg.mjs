// Horizontal bars in groups as SVG. It brings its own ground, because the page around an
// image may be dark where the reader's system is light.

const COLOURS = { sockmux: '#1f77b4', optimistic: '#6baed6', native: '#7f7f7f', 'plain ws': '#7f7f7f', direct: '#b5b5b5', wisp: '#e6893a', chisel: '#c0504d', 'websockify + SOCKS': '#8c6bb1', empty: '#b5b5b5' };
const OTHER = '#8a8a5c';

const WIDTH = 760;
const MARGIN = 14;
const RIGHT = 70; // for the figures behind the bars
const BAR = 15;
const GAP = 12;
const HEAD = 64;

/** About the width of a letter, in sizes of the font. */
const LETTER = 0.55;

const widthOf = (text, size) => text.length * size * LETTER;

/**
 * @param {{ title: string, better: string, logarithmic?: boolean, groups: { name: string, unit: string, values: Record<string, number> }[] }} plot
 */
export function bars({ title, better, logarithmic = false, groups }) {
	const all = groups.flatMap(({ values }) => Object.values(values)).filter((value) => value > 0);
	const [least, most] = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [1, 1];
	const left = Math.ceil(MARGIN + Math.max(...groups.map(({ name }) => widthOf(name, 12)))) + 10;
	const room = WIDTH - left - RIGHT;
	const floor = Math.floor(Math.log10(least)); // a logarithmic bar begins at the power of ten below the least
	const length = (value) => {
		if (value <= 0) return 0;
		return logarithmic ? (room * (Math.log10(value) - floor)) / Math.max(Math.log10(most) - floor, 1e-9) : (room * value) / most;
	};
	const kinds = [...new Set(groups.flatMap(({ values }) => Object.keys(values)))];
	const parts = [];
	let y = HEAD;
	for (const { name, values } of groups) {
		const height = Object.keys(values).length * BAR;
		parts.push(`<text x="${left - 8}" y="${y + height / 2 + 3}" text-anchor="end">${escape(name)}</text>`);
		for (const [kind, value] of Object.entries(values)) {
			const weight = kind === 'sockmux' ? ' font-weight="bold"' : '';
			parts.push(`<rect x="${left}" y="${y}" width="${Math.max(length(value), 1).toFixed(1)}" height="${BAR - 2}" fill="${COLOURS[kind] ?? OTHER}"/>`);
			parts.push(`<text x="${(left + length(value) + 5).toFixed(1)}" y="${y + BAR - 4.5}" font-size="11"${weight}>${figure(value)}</text>`);
			y += BAR;
		}
		y += GAP;
	}
	let x = left;
	const legend = kinds.map((kind) => {
		const item = `<rect x="${x}" y="37" width="11" height="11" fill="${COLOURS[kind] ?? OTHER}"/><text x="${x + 16}" y="47">${escape(kind)}</text>`;
		x += 36 + Math.ceil(widthOf(kind, 12));
		return item;
	});
	const notes = [groups[0]?.unit, better, logarithmic && 'logarithmic'].filter(Boolean).join(', ');
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12" role="img" aria-label="${escape(title)}">
<style>.ground { fill: #fff; stroke: #d0d7de } .axis { stroke: #8c959f } text { fill: #1f2328 } @media (prefers-color-scheme: dark) { .ground { fill: #161b22; stroke: #30363d } text { fill: #e6edf3 } }</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${y - 1}" rx="6"/>
<text x="${MARGIN}" y="24" font-size="15" font-weight="bold">${escape(title)} <tspan font-size="12" font-weight="normal">(${escape(notes)})</tspan></text>
${legend.join('\n')}
${parts.join('\n')}
<line class="axis" x1="${left - 0.5}" y1="${HEAD - 4}" x2="${left - 0.5}" y2="${y - GAP + 2}"/>
</svg>
`;
}

function figure(value) {
	if (value === 0) return '0';
	return value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.0+$|(\.\d*?)0+$/, '$1');
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
