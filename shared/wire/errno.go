package wire

// Error numbers of Emscripten's C library, which are those of WASI. They are what a program in a
// page finds in errno. JavaScript's are generated from this list.
const (
	EACCES          = 2
	EADDRINUSE      = 3
	EADDRNOTAVAIL   = 4
	EAFNOSUPPORT    = 5
	EAGAIN          = 6
	EALREADY        = 7
	EBADF           = 8
	ECONNABORTED    = 13
	ECONNREFUSED    = 14
	ECONNRESET      = 15
	EDESTADDRREQ    = 17
	EDOM            = 18
	EHOSTUNREACH    = 23
	EINPROGRESS     = 26
	EINTR           = 27
	EINVAL          = 28
	EIO             = 29
	EISCONN         = 30
	EMFILE          = 33
	EMSGSIZE        = 35
	ENETDOWN        = 38
	ENETUNREACH     = 40
	ENOENT          = 44
	ENOPROTOOPT     = 50
	ENOSYS          = 52
	ENOTCONN        = 53
	ENOTSOCK        = 57
	EPIPE           = 64
	EPROTO          = 65
	EPROTONOSUPPORT = 66
	ETIMEDOUT       = 73
	ESOCKTNOSUPPORT = 137
	ENOTSUP         = 138
)
