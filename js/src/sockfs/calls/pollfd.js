// struct pollfd: int fd, short events, short revents.

/** Its size, and where its fields stand. */
export const BYTES = 8;
export const EVENTS = 4;
export const REVENTS = 6;
