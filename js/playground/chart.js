// Bytes a second over the last minute, both directions, as one small SVG.

const SECONDS = 60;
const WIDTH = 240;
const HEIGHT = 44;
/** The scale never goes below this rate, so that a few bytes do not look like a flood. */
const LEAST = 2000;

export class Chart {
	/** @type {number[]} */
	#down = new Array(SECONDS).fill(0);
	/** @type {number[]} */
	#up = new Array(SECONDS).fill(0);
	#second = Math.floor(performance.now() / 1000);
	#last = { down: 0, up: 0 };

	/** @param {SVGElement} svg */
	constructor(svg) {
		const make = (/** @type {string} */ name) => {
			const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
			path.setAttribute('class', name);
			svg.append(path);
			return path;
		};
		this.paths = { down: make('down'), up: make('up') };
	}

	/**
	 * Takes the totals so far; the difference to the last call counts for the present second.
	 * @param {number} down
	 * @param {number} up
	 */
	update(down, up) {
		const now = Math.floor(performance.now() / 1000);
		for (let passed = Math.min(now - this.#second, SECONDS); passed > 0; passed--) {
			this.#down.push(0);
			this.#up.push(0);
			this.#down.shift();
			this.#up.shift();
		}
		this.#second = now;
		this.#down[SECONDS - 1] += Math.max(0, down - this.#last.down);
		this.#up[SECONDS - 1] += Math.max(0, up - this.#last.up);
		this.#last = { down, up };
		this.#draw();
	}

	#draw() {
		// A square root keeps a few kilobytes visible beside ten megabytes.
		const most = Math.sqrt(Math.max(LEAST, ...this.#down, ...this.#up));
		const points = (/** @type {number[]} */ series) => series.map((bytes, i) => {
			const x = (i / (SECONDS - 1)) * WIDTH;
			const y = HEIGHT - 1 - (Math.sqrt(bytes) / most) * (HEIGHT - 4);
			return `${x.toFixed(1)} ${y.toFixed(1)}`;
		}).join('L');
		this.paths.down.setAttribute('d', `M0 ${HEIGHT}L${points(this.#down)}L${WIDTH} ${HEIGHT}Z`);
		this.paths.up.setAttribute('d', `M${points(this.#up)}`);
	}
}
