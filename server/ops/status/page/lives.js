// The table of sessions, each followed by its sockets. Rows are kept between polls, so
// that a selection, a pointer or a screen reader stays where it is.

import { formatAge, formatBytes, formatMilliseconds, formatNoun } from './format.js';

/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./report.js').Session} Session */
/** @typedef {import('./report.js').Stream} Stream */

const STATES = {
	connecting: 'connecting',
	open: 'open',
	'page-closed': 'page has finished',
	'target-closed': 'target has finished',
	closing: 'closing',
	failed: 'failed',
};

export class Lives {
	/** @type {Map<string, HTMLTableRowElement>} */
	#rows = new Map();
	/** @type {Map<number, [number, number]>} */
	#bytes = new Map();
	#wanted = '';

	/** @param {(id: string) => HTMLElement} get */
	constructor(get) {
		this.body = get('lives');
		this.empty = get('lives-empty');
		this.more = get('lives-more');
		this.table = /** @type {HTMLElement} */ (this.body.parentElement);
	}

	/** @param {string} text  show only what contains it */
	search(text) {
		this.#wanted = text.trim().toLowerCase();
	}

	/** @param {Report} report */
	update(report) {
		/** @type {[string, HTMLTableRowElement][]} */
		const rows = [];
		/** @type {Map<string, Stream[]>} */
		const bySession = new Map(report.sessions.list.map(({ id }) => [id, []]));
		for (const stream of report.streams.list) bySession.get(stream.session)?.push(stream);
		for (const session of report.sessions.list) {
			const about = [session.id, session.identity, session.peer, session.agent];
			const all = bySession.get(session.id) ?? [];
			const streams = this.#matches(about) ? all : all.filter((stream) => this.#matches([stream.target, stream.remote, STATES[stream.state]]));
			if (streams.length === 0 && !this.#matches(about)) continue;
			rows.push(this.#session(session, report.now));
			streams.forEach((stream, i) => rows.push(this.#stream(stream, report.now, i === streams.length - 1)));
		}
		this.#place(rows);
		this.#bytes = new Map(report.streams.list.map((stream) => [stream.number, [stream.up, stream.down]]));
		this.table.hidden = rows.length === 0;
		this.empty.hidden = rows.length > 0;
		this.empty.textContent = this.#wanted ? 'No session and no socket contains that.' : 'No page is connected. Open the playground, or paste the line below into a page.';
		const listed = report.streams.list.length;
		const cut = [];
		if (report.sessions.live > report.sessions.list.length) cut.push(`${report.sessions.list.length} of ${formatNoun(report.sessions.live, 'session')}`);
		if (report.streams.live > listed) cut.push(`${listed} of ${formatNoun(report.streams.live, 'socket')}`);
		this.more.textContent = cut.length ? `${cut.join(', ')} are listed` : '';
	}

	/** @param {(string | undefined)[]} texts */
	#matches(texts) {
		return texts.some((text) => text?.toLowerCase().includes(this.#wanted));
	}

	/**
	 * @param {Session} session
	 * @param {number} now
	 * @returns {[string, HTMLTableRowElement]}
	 */
	#session(session, now) {
		const [key, row, fresh] = this.#row(`session ${session.id}`, 'session');
		if (fresh) {
			const head = document.createElement('th');
			head.scope = 'rowgroup';
			head.colSpan = 6;
			const line = document.createElement('div');
			line.className = 'line';
			line.append(document.createElement('b'), document.createElement('code'), ...[1, 2, 3, 4].map(() => document.createElement('span')));
			head.append(line);
			row.append(head);
		}
		const [name, id, peer, rtt, streams, age] = /** @type {HTMLElement[]} */ ([.../** @type {HTMLElement} */ (row.querySelector('.line')).children]);
		write(name, session.identity ?? session.peer);
		write(id, session.id);
		write(peer, session.identity ? session.peer : (session.agent ?? ''));
		peer.hidden = !peer.textContent;
		rtt.className = session.parked ? 'parked' : '';
		write(rtt, session.parked ? 'waits for its page to come back' : session.rtt ? `round trip ${formatMilliseconds(session.rtt)}` : 'round trip not known yet');
		write(streams, formatNoun(session.streams, 'socket'));
		write(age, `for ${formatAge(now - session.began)}`);
		return [key, row];
	}

	/**
	 * @param {Stream} stream
	 * @param {number} now
	 * @param {boolean} last
	 * @returns {[string, HTMLTableRowElement]}
	 */
	#stream(stream, now, last) {
		const [key, row, fresh] = this.#row(`stream ${stream.number}`, 'stream');
		if (fresh) {
			const head = document.createElement('th');
			head.scope = 'row';
			head.append(document.createElement('span'), document.createElement('small'));
			const cells = ['', 'To target', 'To page', 'Connected in', 'Age'].map((name) => {
				const cell = document.createElement('td');
				cell.className = name ? 'number' : 'what';
				if (name) cell.dataset.name = name;
				return cell;
			});
			row.append(head, ...cells);
		}
		row.classList.toggle('last', last);
		row.dataset.state = stream.state;
		const [head, state, up, down, opened, age] = /** @type {HTMLElement[]} */ ([...row.children]);
		const [target, remote] = /** @type {HTMLElement[]} */ ([...head.children]);
		write(target, stream.target);
		write(remote, stream.remote && stream.remote !== stream.target ? stream.remote : '');
		head.title = stream.remote ? `${stream.target} at ${stream.remote}` : stream.target;
		write(state, STATES[stream.state]);
		const before = this.#bytes.get(stream.number);
		up.classList.toggle('moving', before !== undefined && before[0] < stream.up);
		down.classList.toggle('moving', before !== undefined && before[1] < stream.down);
		write(up, formatBytes(stream.up));
		write(down, formatBytes(stream.down));
		write(opened, stream.opened ? formatMilliseconds(stream.opened) : '–');
		write(age, formatAge(now - stream.began));
		return [key, row];
	}

	/**
	 * @param {string} key
	 * @param {string} kind
	 * @returns {[string, HTMLTableRowElement, boolean]}
	 */
	#row(key, kind) {
		const known = this.#rows.get(key);
		if (known) return [key, known, false];
		const row = document.createElement('tr');
		row.className = kind;
		return [key, row, true];
	}

	/**
	 * Brings the rows into their order and touches none that is in place.
	 * @param {[string, HTMLTableRowElement][]} rows
	 */
	#place(rows) {
		this.#rows = new Map(rows);
		for (const old of [...this.body.children]) if (!rows.some(([, row]) => row === old)) old.remove();
		let at = this.body.firstElementChild;
		for (const [, row] of rows) {
			if (row === at) at = at.nextElementSibling;
			else this.body.insertBefore(row, at);
		}
	}
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
	if (element.textContent !== text) element.textContent = text;
}
