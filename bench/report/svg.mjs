// Horizontal bars in groups as SVG, legible on white and on black.

const COLOURS = { sockmux: '#1f77b4', optimistic: '#6baed6', native: '#7f7f7f', 'plain ws': '#7f7f7f', direct: '#bdbdbd', wisp: '#e6893a', chisel: '#c0504d', 'websockify + SOCKS': '#8c6bb1', empty: '#bdbdbd' };
const OTHER = '#555555';

const WIDTH = 760;
const LEFT = 260; // for the names
const RIGHT = 70; // for the figures behind the bars
const BAR = 14;
const GAP = 12;
const HEAD = 58;

/**
 * @param {{ title: string, better: string, logarithmic?: boolean, groups: { name: string, values: Record<string, number> }[] }} plot
 */
export function bars({ title, better, logarithmic = false, groups }) {
	const all = groups.flatMap(({ values }) => Object.values(values)).filter((value) => value > 0);
	const [least, most] = [Math.min(...all), Math.max(...all)];
	const room = WIDTH - LEFT - RIGHT;
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
		parts.push(`<text x="${LEFT - 8}" y="${y + height / 2 + 4}" text-anchor="end">${escape(name)}</text>`);
		for (const [kind, value] of Object.entries(values)) {
			parts.push(`<rect x="${LEFT}" y="${y}" width="${Math.max(length(value), 1).toFixed(1)}" height="${BAR - 2}" fill="${COLOURS[kind] ?? OTHER}"/>`);
			parts.push(`<text x="${(LEFT + length(value) + 5).toFixed(1)}" y="${y + BAR - 4}" font-size="11">${figure(value)}</text>`);
			y += BAR;
		}
		y += GAP;
	}
	let x = LEFT;
	const legend = kinds.map((kind) => {
		const item = `<rect x="${x}" y="34" width="11" height="11" fill="${COLOURS[kind] ?? OTHER}"/><text x="${x + 15}" y="44" font-size="12">${escape(kind)}</text>`;
		x += 32 + kind.length * 7;
		return item;
	});
	const subtitle = logarithmic ? `${better}, logarithmic` : better;
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12" role="img" aria-label="${escape(title)}">
<style>text { fill: #222 } @media (prefers-color-scheme: dark) { text { fill: #ddd } }</style>
<text x="12" y="22" font-size="15" font-weight="bold">${escape(title)} <tspan font-size="12" font-weight="normal">(${subtitle})</tspan></text>
${legend.join('\n')}
${parts.join('\n')}
</svg>
`;
}

function figure(value) {
	if (value === 0) return '0';
	return value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, '');
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
