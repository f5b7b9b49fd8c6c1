/*
 * shutdown() and setsockopt() for programs of Emscripten before version 6, whose C library has
 * stubs that no script in the page can reach:
 *
 *     emcc --js-library sockmux-library.js sockmux.c client.c -o client.js
 *
 * Without sockmux in the page both fail as the stubs do.
 */
#if __EMSCRIPTEN_major__ < 6
#include <errno.h>
#include <sys/socket.h>

int sockmux_shutdown(int fd, int how);
int sockmux_setsockopt(int fd, int level, int option, const void *value, socklen_t length);

static int result(int value)
{
	if (value >= 0)
		return value;
	errno = -value;
	return -1;
}

int shutdown(int fd, int how)
{
	return result(sockmux_shutdown(fd, how));
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	return result(sockmux_setsockopt(fd, level, option, value, length));
}
#endif
