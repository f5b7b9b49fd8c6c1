// What a page has and Node 20 has not.

export class FakeCloseEvent extends Event {
	/** @param {string} type @param {{ code: number, reason: string, wasClean: boolean }} init */
	constructor(type, { code, reason, wasClean }) {
		super(type);
		this.code = code;
		this.reason = reason;
		this.wasClean = wasClean;
	}
}

/** A native WebSocket that does nothing, and refuses URLs as the native one does. */
export class NativeSocket extends EventTarget {
	static CONNECTING = 0;
	static OPEN = 1;

	/** @param {string} url @param {unknown} [protocols] */
	constructor(url, protocols) {
		super();
		if (arguments.length === 0) throw new TypeError('1 argument required');
		if (!/^wss?:\/\/[a-z]/.test(url)) throw new DOMException(`the URL ${url} is invalid`, 'SyntaxError');
		this.nativeUrl = url;
		this.protocols = protocols;
	}

	get readyState() {
		return 'native';
	}

	send() {
		return 'native';
	}

	close() {}
}

/** @returns {any} */
export function fakeScope() {
	return Object.assign(new EventTarget(), { WebSocket: NativeSocket, MessageEvent, CloseEvent: FakeCloseEvent });
}
