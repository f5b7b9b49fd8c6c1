// The console as a thing on the page: output, one line being edited, history. It knows
// nothing of R.

/**
 * Lines of output that are kept; beyond that the oldest go, so that a loop that prints
 * for ever does not fill the page.
 */
const MAX_LINES = 3000;
/** Lines of input that can be recalled. */
const MAX_HISTORY = 500;

/** @typedef {'in' | 'out' | 'err' | 'note'} Kind */
/** @typedef {{ kind: Kind, text: string, ends: boolean }} Text */
/** @typedef {'loading' | 'ready' | 'busy' | 'failed'} State */

export class Console {
	/** @type {string[]} */
	#history = [];
	/** Where in the history the line comes from; its length: the line that is being written. */
	#at = 0;
	#draft = '';
	#prompt = '> ';
	/** @type {(Text | HTMLElement)[]} */
	#pending = [];
	/**
	 * The last line of the output, where it has no newline yet.
	 * @type {{ kind: Kind, line: HTMLElement, text: string } | null}
	 */
	#open = null;
	/** The last Enter in the editor was to make a new line. */
	#newline = false;
	#scheduled = false;

	/**
	 * @param {{ root: HTMLElement, screen: HTMLElement, output: HTMLElement, prompt: HTMLElement, input: HTMLTextAreaElement, state: HTMLElement }} parts
	 * @param {{ onlines: (lines: string[]) => void, oninterrupt: () => void, onclear: () => void }} handlers  onlines gets complete lines, in order
	 */
	constructor(parts, handlers) {
		this.parts = parts;
		this.handlers = handlers;
		const { input, screen } = parts;
		input.addEventListener('keydown', (event) => this.#key(event));
		input.addEventListener('input', (event) => this.#typed(/** @type {InputEvent} */ (event)));
		screen.addEventListener('click', () => {
			if (document.getSelection()?.isCollapsed ?? true) input.focus({ preventScroll: true });
		});
	}

	/**
	 * @param {State} state
	 * @param {string} text
	 */
	setState(state, text) {
		this.parts.root.dataset.state = state;
		this.parts.state.textContent = text;
	}

	/**
	 * The prompt appears with the output before it, in the next frame: R printed that first.
	 * @param {string} prompt
	 */
	setPrompt(prompt) {
		this.#prompt = prompt;
		this.#schedule();
	}

	get prompt() {
		return this.#prompt;
	}

	/**
	 * @param {Kind} kind
	 * @param {string} text  a line, or the next part of one
	 * @param {boolean} [ends]  the line ends here
	 */
	print(kind, text, ends = true) {
		this.#add({ kind, text, ends });
	}

	/** Shows what is no line of text. @param {HTMLElement} element */
	show(element) {
		this.#add(element);
	}

	/** @param {Text | HTMLElement} item */
	#add(item) {
		this.#pending.push(item);
		if (this.#pending.length > 2 * MAX_LINES) this.#pending.splice(0, MAX_LINES);
		this.#schedule();
	}

	#schedule() {
		if (this.#scheduled) return;
		this.#scheduled = true;
		requestAnimationFrame(() => this.#flush());
	}

	clear() {
		this.#pending = [];
		this.#open = null;
		this.parts.output.replaceChildren();
		this.handlers.onclear();
	}

	focus() {
		this.parts.input.focus({ preventScroll: true });
	}

	/**
	 * Writes what was printed since the last frame and the prompt, and follows it if the reader was
	 * at the end.
	 */
	#flush() {
		this.#scheduled = false;
		const { output, screen, prompt } = this.parts;
		prompt.textContent = this.#prompt;
		const following = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 40;
		const lines = document.createDocumentFragment();
		for (const item of this.#pending.slice(-MAX_LINES)) lines.append(this.#element(item));
		this.#pending = [];
		output.append(lines);
		while (output.childElementCount > MAX_LINES) output.firstElementChild?.remove();
		if (following) this.scrollToEnd();
	}

	/**
	 * What shows an item: a new element, or the open line that goes on.
	 * @param {Text | HTMLElement} item
	 */
	#element(item) {
		const before = this.#open;
		this.#open = null;
		if (item instanceof HTMLElement) return item;
		const { kind, ends } = item;
		const open = before?.kind === kind ? before : { kind, line: document.createElement('div'), text: '' };
		const text = open.text + item.text;
		open.line.className = kind;
		open.line.textContent = overwritten(text);
		const back = text.lastIndexOf('\r');
		if (!ends) this.#open = { ...open, text: back < 0 ? text : overwritten(text.slice(0, back)) + text.slice(back) };
		return open.line;
	}

	scrollToEnd() {
		this.parts.screen.scrollTop = this.parts.screen.scrollHeight;
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const { input } = this.parts;
		this.#newline = event.key === 'Enter' && event.shiftKey;
		const mod = event.ctrlKey && !event.altKey && !event.metaKey;
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			this.#submit([input.value]);
		} else if (event.key === 'ArrowUp' && !input.value.slice(0, input.selectionStart).includes('\n')) {
			event.preventDefault();
			this.#recall(-1);
		} else if (event.key === 'ArrowDown' && !input.value.slice(input.selectionEnd).includes('\n')) {
			event.preventDefault();
			this.#recall(1);
		} else if (mod && event.key === 'c' && (document.getSelection()?.isCollapsed ?? true) && input.selectionStart === input.selectionEnd) {
			event.preventDefault(); // with a selection it copies, as everywhere
			this.interrupt();
		} else if (mod && event.key === 'l') {
			event.preventDefault();
			this.clear();
		}
	}

	/** Puts a line into the editor; the reader sends it. @param {string} line */
	edit(line) {
		this.#set(line);
		this.focus();
		this.scrollToEnd();
	}

	interrupt() {
		const { input } = this.parts;
		this.print('in', `${this.#prompt}${input.value}^C`);
		this.#set('');
		this.#at = this.#history.length;
		this.handlers.oninterrupt();
	}

	/**
	 * A paste of several lines runs the complete ones and leaves the rest for editing, as
	 * in a terminal. Lines that were made here by Shift+Enter stay until Enter.
	 * @param {InputEvent} event
	 */
	#typed({ inputType, data }) {
		const { input } = this.parts;
		const byHand = this.#newline;
		this.#newline = false;
		this.#fit();
		// Chromium tells of a new line that a script or an input method inserts as
		// insertText without data.
		const newline = inputType === 'insertText' ? data === null : /^insert(LineBreak|Paragraph)$/.test(inputType);
		const pasted = !inputType || /^insert(From|Replacement)/.test(inputType) || (data?.includes('\n') ?? false);
		if (!pasted && !(newline && !byHand)) return;
		const lines = input.value.replaceAll('\r', '').split('\n');
		if (lines.length === 1) return;
		const rest = lines.pop() ?? '';
		this.#submit(lines);
		this.#set(rest);
	}

	/** @param {string[]} entries  each is one entry of the history, of one line or several */
	#submit(entries) {
		this.#set('');
		for (const entry of entries) {
			if (entry.trim() !== '' && entry !== this.#history.at(-1)) this.#history.push(entry);
		}
		this.#history.splice(0, this.#history.length - MAX_HISTORY);
		this.#at = this.#history.length;
		this.#draft = '';
		this.scrollToEnd();
		this.handlers.onlines(entries.flatMap((entry) => entry.split('\n')));
	}

	/** @param {-1 | 1} step */
	#recall(step) {
		const to = this.#at + step;
		if (to < 0 || to > this.#history.length) return;
		if (this.#at === this.#history.length) this.#draft = this.parts.input.value;
		this.#at = to;
		this.#set(to === this.#history.length ? this.#draft : this.#history[to]);
	}

	/** @param {string} value */
	#set(value) {
		const { input } = this.parts;
		input.value = value;
		input.setSelectionRange(value.length, value.length);
		this.#fit();
	}

	/** As many rows as there are lines, for browsers without field-sizing. */
	#fit() {
		this.parts.input.rows = this.parts.input.value.split('\n').length;
	}
}

/**
 * A carriage return goes back to the beginning of the line, as R's progress bars want it.
 * @param {string} text
 */
function overwritten(text) {
	return text.split('\r').reduce((line, part) => part + line.slice(part.length));
}
