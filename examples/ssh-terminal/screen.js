// The terminal: xterm.js, as large as its place, in the colours of the page.

const { Terminal, FitAddon } = /** @type {any} */ (globalThis);
const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** The page's colours by xterm.js's names. */
function theme() {
	const style = getComputedStyle(document.documentElement);
	const color = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
	const capital = (/** @type {string} */ name) => name[0].toUpperCase() + name.slice(1);
	return {
		background: color('card'), foreground: color('ink'), cursor: color('accent'), cursorAccent: color('card'),
		selectionBackground: color('line-strong'),
		...Object.fromEntries(COLORS.flatMap((name) => [[name, color(name)], [`bright${capital(name)}`, color(`bright-${name}`)]])),
	};
}

/** @param {HTMLElement} place */
export function startTerminal(place) {
	const font = getComputedStyle(document.documentElement).getPropertyValue('--mono').trim();
	const terminal = new Terminal({ fontFamily: font, fontSize: 14, lineHeight: 1.2, cursorBlink: true, scrollback: 5000, theme: theme() });
	const fit = new FitAddon.FitAddon();
	terminal.loadAddon(fit);
	terminal.open(place);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { terminal.options.theme = theme(); });

	/** @type {import('./main.js').Shell | null} */
	let shell = null;
	/** The shell takes one thing after the other. @type {Promise<unknown>} */
	let sent = Promise.resolve();
	/** @param {(to: import('./main.js').Shell) => Promise<unknown>} call */
	const send = (call) => {
		const to = shell;
		if (to) sent = sent.then(() => call(to)).catch(() => {}); // its `closed` tells why
	};
	const encoder = new TextEncoder();
	terminal.onData((/** @type {string} */ text) => send((to) => to.write(encoder.encode(text))));
	terminal.onBinary((/** @type {string} */ text) => send((to) => to.write(Uint8Array.from(text, (char) => char.charCodeAt(0)))));
	terminal.onResize((/** @type {{ cols: number, rows: number }} */ { cols, rows }) => send((to) => to.resize(cols, rows)));
	terminal.onTitleChange((/** @type {string} */ title) => { document.title = title || 'SSH terminal'; });
	new ResizeObserver(() => {
		if (place.clientHeight > 0) fit.fit();
	}).observe(place);

	return {
		get cols() { return terminal.cols; },
		get rows() { return terminal.rows; },
		reset: () => terminal.reset(),
		/**
		 * Resolves when the bytes are on the screen.
		 * @param {Uint8Array} bytes
		 * @returns {Promise<void>}
		 */
		show: (bytes) => new Promise((resolve) => { terminal.write(bytes, resolve); }),
		/** @param {import('./main.js').Shell} to */
		connect(to) {
			shell = to;
			sent = Promise.resolve();
			fit.fit();
			send(() => to.resize(terminal.cols, terminal.rows));
			terminal.focus();
		},
		disconnect() {
			shell = null;
			document.title = 'SSH terminal';
		},
	};
}
