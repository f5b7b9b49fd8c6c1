// Emscripten's error numbers (those of WASI) and the flags of its poll() and fcntl(), as its programs are compiled with them.

export const ERRNO = Object.freeze({
	EAFNOSUPPORT: 5,
	EAGAIN: 6,
	EALREADY: 7,
	EBADF: 8,
	ECONNABORTED: 13,
	ECONNREFUSED: 14,
	ECONNRESET: 15,
	EDOM: 18,
	EINPROGRESS: 26,
	EINTR: 27,
	EINVAL: 28,
	EISCONN: 30,
	ENETDOWN: 38,
	ENOENT: 44,
	ENOPROTOOPT: 50,
	ENOSYS: 52,
	ENOTCONN: 53,
	EPIPE: 64,
	ETIMEDOUT: 73,
	ENOTSUP: 138,
});

export const POLL = Object.freeze({ IN: 1, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDNORM: 64, WRNORM: 256, RDHUP: 0x2000 });

export const O_NONBLOCK = 2048;
export const SOCK_STREAM = 1;

/** Flags of recv() and send(). */
export const MSG = Object.freeze({ OOB: 1, PEEK: 2, TRUNC: 0x20, DONTWAIT: 0x40, WAITALL: 0x100, ERRQUEUE: 0x2000 });
