// What R shows beside text: pages of help, tables, plots. Each is an element in the
// console's output.

/** Rows of a table that are shown. More would slow the page down, and are not read. */
const MAX_ROWS = 200;

/** Plots that are kept: each holds 4 MB. */
const MAX_PLOTS = 20;

/**
 * A text with its own scroll bar.
 * @param {string} title
 * @param {string} text  may have the overstrikes of R's help, such as "_" and a backspace before a letter
 */
export function page(title, text) {
	const body = document.createElement('pre');
	body.tabIndex = 0; // a region that scrolls must be reachable by keyboard
	body.textContent = text.replace(/.[\b]/g, '').trimEnd();
	return block('page', title, body);
}

/** A column as webR gives it. @typedef {{ values: unknown[] }} Column */

/**
 * @param {string} title
 * @param {Record<string, Column>} columns
 */
export function table(title, columns) {
	const element = document.createElement('table');
	const names = Object.keys(columns);
	/** @param {Element} to @param {string} tag @param {unknown} text */
	const cell = (to, tag, text) => {
		const made = document.createElement(tag);
		made.textContent = text === null || text === undefined ? 'NA' : String(text);
		to.append(made);
	};
	const head = element.createTHead().insertRow();
	for (const name of names) cell(head, 'th', name === 'row.names' ? '' : name);
	const rows = Math.max(0, ...names.map((name) => columns[name].values.length));
	const body = element.createTBody();
	for (let i = 0; i < Math.min(rows, MAX_ROWS); i++) {
		const row = body.insertRow();
		for (const name of names) cell(row, name === 'row.names' ? 'th' : 'td', columns[name].values[i]);
	}
	const scroll = document.createElement('div');
	scroll.tabIndex = 0;
	scroll.append(element);
	return block('table', rows > MAX_ROWS ? `${title} (the first ${MAX_ROWS} of ${rows} rows)` : title, scroll);
}

/** @param {string} url  that R wants to be opened */
export function link(url) {
	const line = document.createElement('p');
	line.className = 'note';
	if (!/^https?:\/\//.test(url)) line.textContent = `R wants to open ${url}, which this page cannot.`;
	else {
		const anchor = Object.assign(document.createElement('a'), { href: url, target: '_blank', rel: 'noopener noreferrer', textContent: url });
		line.append('R wants to open ', anchor);
	}
	return line;
}

/**
 * @param {string} kind
 * @param {string} title
 * @param {HTMLElement} body
 */
function block(kind, title, body) {
	const figure = document.createElement('figure');
	figure.className = `shown ${kind}`;
	const caption = document.createElement('figcaption');
	caption.textContent = title;
	body.setAttribute('aria-label', title);
	figure.append(caption, body);
	return figure;
}

/**
 * A message of webR's canvas device.
 * @typedef {{ event: string, id: number, image?: ImageBitmap }} CanvasMessage
 */

/** The plots of one R. */
export class Plots {
	#show;
	/** The page that each device draws on. @type {Map<number, HTMLCanvasElement>} */
	#pages = new Map();
	/** @type {HTMLElement[]} */
	#figures = [];
	#count = 0;

	/** @param {(element: HTMLElement) => void} show */
	constructor(show) {
		this.#show = show;
	}

	/** The figures have left the output: what is drawn next has a figure of its own. */
	clear() {
		this.#pages.clear();
		this.#figures = [];
	}

	/** @param {CanvasMessage} message */
	take({ event, id, image }) {
		if (event === 'canvasNewPage') this.#pages.delete(id);
		else if (event === 'canvasImage' && image) {
			const canvas = this.#pages.get(id) ?? this.#page(id, image);
			canvas.getContext('2d')?.drawImage(image, 0, 0);
			image.close();
		}
	}

	/**
	 * A page has a figure once there is something on it.
	 * @param {number} id
	 * @param {ImageBitmap} image  webR's device has two pixels for each of its own
	 */
	#page(id, { width, height }) {
		const canvas = document.createElement('canvas');
		Object.assign(canvas, { width, height });
		canvas.style.width = `${width / 2}px`;
		canvas.setAttribute('role', 'img');
		canvas.setAttribute('aria-label', `Plot ${++this.#count}`);
		const figure = document.createElement('figure');
		figure.className = 'shown plot';
		figure.append(canvas);
		this.#pages.set(id, canvas);
		this.#figures.push(figure);
		if (this.#figures.length > MAX_PLOTS) this.#figures.shift()?.remove();
		this.#show(figure);
		return canvas;
	}
}
