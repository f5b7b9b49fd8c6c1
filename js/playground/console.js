// The console as a thing on the page: output, one line being edited, history. It knows nothing of R.

/** Lines of output that are kept; beyond that the oldest go, so that a loop that prints for ever does not fill the page. */
const MAX_LINES = 3000;
/** Lines of input that can be recalled. */
const MAX_HISTORY = 500;

/** @typedef {'in' | 'out' | 'err' | 'note'} Kind */
/** @typedef {'loading' | 'ready' | 'busy' | 'failed'} State */

export class Console {
	/** @type {string[]} */
	#history = [];
	/** Where in the history the line comes from; its length: the line that is being written. */
	#at = 0;
	#draft = '';
	#prompt = '> ';
	/** @type {{ kind: Kind, text: string }[]} */
	#pending = [];
	#scheduled = false;

	/**
	 * @param {{ root: HTMLElement, screen: HTMLElement, output: HTMLElement, prompt: HTMLElement, input: HTMLTextAreaElement, state: HTMLElement }} parts
	 * @param {{ onlines: (lines: string[]) => void, oninterrupt: () => void }} handlers  onlines gets complete lines, in order
	 */
	constructor(parts, handlers) {
		this.parts = parts;
		this.handlers = handlers;
		const { input, screen } = parts;
		input.addEventListener('keydown', (event) => this.#key(event));
		input.addEventListener('input', () => this.#typed());
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

	/** @param {string} prompt */
	setPrompt(prompt) {
		this.#prompt = prompt;
		this.parts.prompt.textContent = prompt;
	}

	get prompt() {
		return this.#prompt;
	}

	/**
	 * @param {Kind} kind
	 * @param {string} text  one line
	 */
	print(kind, text) {
		this.#pending.push({ kind, text });
		if (this.#pending.length > 2 * MAX_LINES) this.#pending.splice(0, MAX_LINES);
		if (this.#scheduled) return;
		this.#scheduled = true;
		requestAnimationFrame(() => this.#flush());
	}

	clear() {
		this.#pending = [];
		this.parts.output.replaceChildren();
	}

	focus() {
		this.parts.input.focus({ preventScroll: true });
	}

	/** Writes what was printed since the last frame, and follows it if the reader was at the end. */
	#flush() {
		this.#scheduled = false;
		const { output, screen } = this.parts;
		const following = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 40;
		const lines = document.createDocumentFragment();
		for (const { kind, text } of this.#pending.slice(-MAX_LINES)) {
			const line = document.createElement('div');
			line.className = kind;
			line.textContent = text;
			lines.append(line);
		}
		this.#pending = [];
		output.append(lines);
		while (output.childElementCount > MAX_LINES) output.firstElementChild?.remove();
		if (following) this.scrollToEnd();
	}

	scrollToEnd() {
		this.parts.screen.scrollTop = this.parts.screen.scrollHeight;
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const { input } = this.parts;
		const mod = event.ctrlKey && !event.altKey && !event.metaKey;
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			this.#submit(input.value.split('\n'));
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

	/** A paste of several lines runs the complete ones and leaves the rest for editing, as in a terminal. */
	#typed() {
		const { input } = this.parts;
		const lines = input.value.replaceAll('\r', '').split('\n');
		if (lines.length === 1) return;
		const rest = lines.pop() ?? '';
		this.#submit(lines);
		this.#set(rest);
	}

	/** @param {string[]} lines */
	#submit(lines) {
		this.#set('');
		for (const line of lines) {
			if (line.trim() !== '' && line !== this.#history.at(-1)) this.#history.push(line);
		}
		this.#history.splice(0, this.#history.length - MAX_HISTORY);
		this.#at = this.#history.length;
		this.#draft = '';
		this.scrollToEnd();
		this.handlers.onlines(lines);
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
	}
}
