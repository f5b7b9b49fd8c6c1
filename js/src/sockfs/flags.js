// The flags of Emscripten's poll(), fcntl(), recv() and send(), as its programs are
// compiled with them.

export const POLL = Object.freeze({ IN: 1, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDNORM: 64, WRNORM: 256, RDHUP: 0x2000 });

export const O_NONBLOCK = 2048;
export const O_APPEND = 1024;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;

/** Flags of recv() and send(). */
export const MSG = Object.freeze({ OOB: 1, PEEK: 2, TRUNC: 0x20, DONTWAIT: 0x40, WAITALL: 0x100, ERRQUEUE: 0x2000 });
