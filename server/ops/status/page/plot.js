// Throughput over the last minutes as one SVG: an area for what pages get, a line for
// what targets get, a red foot where something was refused.

import { formatBytes, formatClock, formatCount, formatNoun } from './format.js';

/** @typedef {import('./report.js').History} History */

const WIDTH = 1000;
const HEIGHT = 100;
/** Room above the highest value, in parts of HEIGHT. */
const HEADROOM = 12;
/** The scale never ends below this rate, so that a few bytes do not look like a flood. */
const LEAST = 2000;

/**
 * The next of 1, 2, 3, 5, 10, 20, ...
 * @param {number} value
 */
export function roundUp(value) {
	const power = 10 ** Math.floor(Math.log10(value));
	return power * (/** @type {number} */ ([1, 2, 3, 5, 10].find((factor) => factor * power >= value * 0.999999)));
}

/**
 * The last steps of a series as a rate a second; what was before the start is 0.
 * @param {number[]} series
 * @param {number} steps
 * @param {number} step  milliseconds
 */
export function rates(series, steps, step) {
	const shown = series.slice(-steps).map((bytes) => bytes / (step / 1000));
	return [...new Array(steps - shown.length).fill(0), ...shown];
}

export class Plot {
	#minutes = 10;
	/** @type {History | null} */
	#history = null;
	/** @type {number | null} */
	#pointed = null;

	/** @param {(id: string) => HTMLElement} get */
	constructor(get) {
		this.svg = get('chart');
		this.scale = get('scale');
		this.cursor = get('cursor');
		this.readout = get('readout');
		this.ticks = get('ticks');
		this.text = get('chart-text');
		this.svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
		const chart = /** @type {HTMLElement} */ (this.svg.parentElement);
		chart.addEventListener('pointermove', (event) => {
			const box = chart.getBoundingClientRect();
			this.#pointed = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
			this.#point();
		});
		chart.addEventListener('pointerleave', () => {
			this.#pointed = null;
			this.#point();
		});
	}

	/** @param {number} minutes */
	show(minutes) {
		this.#minutes = minutes;
		if (this.#history) this.update(this.#history);
	}

	/** @param {History} history */
	update(history) {
		this.#history = history;
		const { down, up, refused, steps } = this.#shown();
		const highest = Math.max(LEAST, ...down, ...up);
		const top = roundUp(highest);
		const y = (/** @type {number} */ rate) => HEIGHT - (rate / top) * (HEIGHT - HEADROOM);
		const points = (/** @type {number[]} */ series) => series.map((rate, i) => `${((i / (steps - 1)) * WIDTH).toFixed(1)} ${y(rate).toFixed(2)}`).join('L');
		const marks = [top, top / 2];
		this.svg.replaceChildren(
			...marks.map((rate) => path('grid', `M0 ${y(rate)}H${WIDTH}`)),
			path('down', `M0 ${HEIGHT}L${points(down)}L${WIDTH} ${HEIGHT}Z`),
			path('up', `M${points(up)}`),
			path('refused', refused.map((count, i) => (count ? `M${((i / (steps - 1)) * WIDTH).toFixed(1)} ${HEIGHT}v-4` : '')).join('') || 'M0 0'),
		);
		this.scale.replaceChildren(...marks.map((rate) => {
			const item = document.createElement('li');
			item.textContent = `${formatBytes(rate)}/s`;
			item.style.top = `${y(rate)}%`;
			return item;
		}));
		this.ticks.replaceChildren(...[1, 0.75, 0.5, 0.25, 0].map((share) => {
			const tick = document.createElement('span');
			tick.textContent = share === 0 ? 'now' : `${share * this.#minutes} min`;
			return tick;
		}));
		this.text.textContent = `Over the last ${this.#minutes} minutes: at most ${formatBytes(Math.max(...down))} a second to pages and ${formatBytes(Math.max(...up))} a second to targets, ${formatNoun(refused.reduce((a, b) => a + b, 0), 'refusal')}.`;
		this.#point();
	}

	#shown() {
		const history = /** @type {History} */ (this.#history);
		const steps = Math.round((this.#minutes * 60_000) / history.step);
		const last = (/** @type {number[]} */ series) => rates(series, steps, 1000); // counts, not rates
		return { steps, down: rates(history.down, steps, history.step), up: rates(history.up, steps, history.step), refused: last(history.refused), streams: last(history.streams) };
	}

	#point() {
		this.cursor.hidden = this.#pointed === null || !this.#history;
		this.readout.textContent = '';
		if (this.#pointed === null || !this.#history) return;
		const { steps, down, up, refused, streams } = this.#shown();
		const i = Math.round(this.#pointed * (steps - 1));
		this.cursor.style.left = `${(i / (steps - 1)) * 100}%`;
		const at = this.#history.at - (steps - 1 - i) * this.#history.step;
		this.readout.textContent = `${formatClock(at)}   ${formatBytes(down[i])}/s to pages   ${formatBytes(up[i])}/s to targets   ${formatNoun(streams[i], 'socket')}${refused[i] ? `   ${formatCount(refused[i])} refused` : ''}`;
	}
}

/**
 * @param {string} name
 * @param {string} d
 */
function path(name, d) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', 'path');
	element.setAttribute('class', name);
	element.setAttribute('d', d);
	return element;
}
