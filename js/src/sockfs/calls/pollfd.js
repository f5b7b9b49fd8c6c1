// struct pollfd: int fd, short events, short revents.

/** Its size, and where its fields stand. */
export const BYTES = 8;
export const EVENTS = 4;
export const REVENTS = 6;

/** How long poll() waits at most, in milliseconds. @param {number} timeout  its argument */
export const limitOf = (timeout) => (timeout < 0 ? Infinity : timeout);
