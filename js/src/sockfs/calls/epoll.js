// epoll of Emscripten 6 where the thread may block. Emscripten lists the sockets that have events as
// they are told of, in tasks, and epoll_wait() then looks at these alone. A thread that blocks runs
// no tasks, so its events are told before each look.

import { limitOf, onceForTime } from './retry.js';

/** @typedef {import('../connector.js').Connector} Connector */
/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('./retry.js').Make} Make */

/** The name of the import that waits. */
export const EPOLL_WAITS = '__syscall_epoll_pwait';

/** Which parameter of it has the time. */
const TIMEOUT = 3;

/** Operations of epoll_ctl(). */
const ADD = 1;
const DELETE = 2;

/**
 * Watches which descriptors a program's epolls have. Returns what reports whether an epoll, or one
 * within it, has a descriptor of that kind.
 * @param {Instance['calls']} calls
 * @param {Connector} connector
 * @param {(fd: number) => boolean} matters
 * @returns {(epoll: number) => boolean}
 */
export function watchEpolls(calls, connector, matters) {
	/** @type {Map<number, Set<number>>} */
	const epolls = new Map();
	const put = (/** @type {string} */ name, /** @type {(before: (...args: any[]) => any) => (...args: any[]) => any} */ make) => {
		const slot = calls.get(name);
		if (slot) slot.module[slot.key] = Object.assign(make(slot.module[slot.key]), slot.module[slot.key]);
	};
	put('__syscall_epoll_create1', (before) => (...args) => {
		const fd = before(...args);
		if (fd >= 0) epolls.set(fd, new Set());
		return fd;
	});
	put('__syscall_epoll_ctl', (before) => (epoll, operation, fd, ...rest) => {
		const result = before(epoll, operation, fd, ...rest);
		if (result === 0 && operation === ADD) epolls.get(epoll)?.add(fd);
		if (result === 0 && operation === DELETE) epolls.get(epoll)?.delete(fd);
		return result;
	});
	put('__syscall_epoll_pwait_nonblocking', (before) => (...args) => {
		connector.tellEvents?.();
		return before(...args);
	});
	/** @type {(epoll: number) => boolean} */
	const has = (epoll) => [...epolls.get(epoll) ?? []].some((fd) => matters(fd) || has(fd));
	return has;
}

/** How long a call waits at most, in milliseconds. @param {any[]} args */
export const epollLimit = (args) => limitOf(args[TIMEOUT]);

/**
 * @param {Connector} connector
 * @returns {(original: (...args: any[]) => any) => Make}
 */
export const epollOnce = (connector) => (original) => onceForTime(TIMEOUT)((...args) => {
	connector.tellEvents?.();
	return original(...args);
});
