// Event handlers in the two other forms in which programs give them: the attributes
// onopen, onmessage, ... of the HTML standard, and the methods of Node's EventEmitter,
// which php-wasm calls on every WebSocket.

/** @typedef {'open' | 'message' | 'error' | 'close'} EventName */

export const EVENT_NAMES = /** @type {const} */ (['open', 'message', 'error', 'close']);

/**
 * The attributes of one object (HTML, 8.1.8.1): the handler takes its place among the
 * listeners when it is first set, and keeps it when it is replaced by another.
 */
export class HandlerAttributes {
	/** @type {Map<EventName, { value: Function, listener: (event: Event) => void }>} */
	#handlers = new Map();
	#target;

	/** @param {EventTarget} target */
	constructor(target) {
		this.#target = target;
	}

	/** @param {EventName} name */
	get(name) {
		return this.#handlers.get(name)?.value ?? null;
	}

	/**
	 * @param {EventName} name
	 * @param {unknown} value  anything that is no function removes the handler
	 */
	set(name, value) {
		const present = this.#handlers.get(name);
		if (typeof value === 'function') {
			if (present) {
				present.value = value;
				return;
			}
			const handler = { value, listener: (/** @type {Event} */ event) => void handler.value.call(this.#target, event) };
			this.#handlers.set(name, handler);
			this.#target.addEventListener(name, handler.listener);
		} else if (present) {
			this.#target.removeEventListener(name, present.listener);
			this.#handlers.delete(name);
		}
	}
}

/**
 * The listeners given by on() and once(). They get what Node's `ws` gives: (data,
 * isBinary), (code, reason), (error).
 */
export class NodeListeners {
	/** @type {{ name: string, given: Function, listener: (event: Event) => void }[]} */
	#listeners = [];
	#target;

	/** @param {EventTarget} target */
	constructor(target) {
		this.#target = target;
	}

	/**
	 * @param {string} name
	 * @param {Function} given
	 * @param {boolean} once
	 */
	add(name, given, once) {
		const listener = (/** @type {Event} */ event) => {
			if (once) this.remove(name, given);
			given.apply(this.#target, argumentsOf(event));
		};
		this.#listeners.push({ name, given, listener });
		this.#target.addEventListener(name, listener);
	}

	/**
	 * Removes the one that was added last, as Node does.
	 * @param {string} name
	 * @param {Function} given
	 */
	remove(name, given) {
		const at = this.#listeners.findLastIndex((entry) => entry.name === name && entry.given === given);
		if (at < 0) return;
		const [{ listener }] = this.#listeners.splice(at, 1);
		this.#target.removeEventListener(name, listener);
	}
}

/**
 * @param {any} event
 * @returns {unknown[]}
 */
function argumentsOf(event) {
	switch (event.type) {
		case 'message':
			return [event.data, true];
		case 'close':
			return [event.code, event.reason];
		case 'error':
			return [new Error('the connection failed')];
		default:
			return [];
	}
}
