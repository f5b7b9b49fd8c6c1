// The constants of Emscripten's poll(), fcntl(), ioctl(), socket(), recv() and send(), as
// its programs are compiled with them.

export const POLL = Object.freeze({ IN: 1, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDNORM: 64, WRNORM: 256, RDHUP: 0x2000 });

export const O_NONBLOCK = 2048;
export const O_APPEND = 1024;
export const O_CLOEXEC = 0x80000;
export const FIONREAD = 0x541b;
export const F_DUPFD = 0;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;

export const AF_INET = 2;
export const AF_INET6 = 10;

/** The second argument of socket() has these bits for the kind; flags stand above them. */
export const SOCK_KIND = 0xf;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = O_NONBLOCK;

/** Flags of recv() and send(). */
export const MSG = Object.freeze({ OOB: 1, PEEK: 2, TRUNC: 0x20, DONTWAIT: 0x40, WAITALL: 0x100, ERRQUEUE: 0x2000 });
