// The right-hand side: the one WebSocket and the list of sockets in it, drawn from the
// tunnel's own figures.

import { Chart } from './chart.js';
import { formatBytes, formatCount, formatMilliseconds } from './format.js';

/** Sockets that are shown; those that ended longest ago go first. */
const MAX_ROWS = 60;

/**
 * One socket as it is shown.
 * @typedef {object} Row
 * @property {HTMLLIElement} item
 * @property {Record<'target' | 'what' | 'bytes' | 'latency', HTMLElement>} cells
 * @property {number} moved  bytes at the last update
 */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * Writes text only where it changed: the lists are drawn several times a second and a
 * screen reader listens.
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

export class Wire {
	/** @type {Map<number, Row>} */
	#rows = new Map();
	#chart = new Chart(/** @type {any} */ (byId('chart')));

	/** @param {import('./tunnel.js').View} view */
	draw(view) {
		const { tunnel, sockets } = view;
		for (const id of ['tunnel-pill', 'trunk-state']) {
			byId(id).dataset.state = tunnel.state;
			setText(byId(`${id}-text`), tunnel.stateText);
		}
		setText(byId('trunk-url'), tunnel.url);
		setText(byId('f-down'), formatBytes(tunnel.bytesIn));
		setText(byId('f-up'), formatBytes(tunnel.bytesOut));
		setText(byId('f-rtt'), tunnel.rtt === null ? '–' : formatMilliseconds(tunnel.rtt));
		setText(byId('f-in'), formatCount(tunnel.messagesIn));
		setText(byId('f-out'), formatCount(tunnel.messagesOut));
		setText(byId('f-unacked'), formatBytes(tunnel.unacked));
		this.#chart.update(tunnel.bytesIn, tunnel.bytesOut);

		const live = sockets.filter((socket) => socket.state === 'open' || socket.state === 'connecting').length;
		setText(byId('streams-count'), sockets.length === 0 ? 'none yet' : `${live} open, ${view.opened} in all`);
		byId('streams-empty').hidden = sockets.length > 0;
		const shown = sockets.slice(-MAX_ROWS);
		const ids = new Set(shown.map((socket) => socket.id));
		for (const [id, row] of this.#rows) {
			if (ids.has(id)) continue;
			row.item.remove();
			this.#rows.delete(id);
		}
		for (const socket of shown) this.#drawRow(socket);
	}

	/** @param {import('./tunnel.js').SocketView} socket */
	#drawRow(socket) {
		let row = this.#rows.get(socket.id);
		if (!row) {
			row = newRow();
			this.#rows.set(socket.id, row);
			byId('streams').prepend(row.item); // the newest on top
		}
		const { item, cells } = row;
		const moved = socket.bytesIn + socket.bytesOut;
		item.dataset.state = socket.state;
		item.toggleAttribute('data-moving', moved !== row.moved);
		row.moved = moved;
		setText(cells.target, socket.target);
		cells.target.title = socket.target;
		setText(cells.what, socket.stateText);
		cells.what.title = socket.detail;
		setText(cells.bytes, `↓ ${formatBytes(socket.bytesIn)}  ↑ ${formatBytes(socket.bytesOut)}`);
		setText(cells.latency, socket.latency === null ? '' : formatMilliseconds(socket.latency));
	}
}

/** @returns {Row} */
function newRow() {
	const item = document.createElement('li');
	const cell = (/** @type {string} */ name) => {
		const element = document.createElement('span');
		element.className = name;
		item.append(element);
		return element;
	};
	const cells = { target: cell('target'), what: cell('what'), bytes: cell('bytes'), latency: cell('latency') };
	cells.latency.title = 'from the request to the answer of the target';
	return { item, cells, moved: 0 };
}
