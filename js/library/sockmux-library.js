/*
 * What a program may link so that sockmux can do more for it:
 *
 *     emcc -sASYNCIFY --js-library sockmux-library.js client.c -o client.js
 *
 * In an ASYNCIFY program the socket calls may sleep from then on: connect(), bind(), listen(),
 * accept(), recv(), send(), read(), write(), getaddrinfo(), getnameinfo() and, before Emscripten 6,
 * poll() block as on Linux. Before Emscripten 4, ASYNCIFY_IMPORTS must name them, see docs/EMSCRIPTEN.md. With JSPI and in
 * pthreads sockmux needs no library for that.
 *
 * Together with sockmux.c, programs of Emscripten 3 to 5 get shutdown() and setsockopt(), which
 * their C library has no more than stubs of.
 *
 * Without sockmux in the page the program does what it did without the library.
 */
(function() {
  const library = LibraryManager.library;
  const added = {};

  /* The operations are there if the layer is. 52 is ENOSYS, 50 is ENOPROTOOPT. */
  added['$sockmuxOperation__deps'] = ['$FS', '$getSocketFromFD'];
  added['$sockmuxOperation'] = function(name, missing, fd, args) {
    try {
      const sock = getSocketFromFD(fd);
      const operation = sock.sock_ops[name];
      return operation ? operation.apply(null, [sock].concat(args)) || 0 : missing;
    } catch (error) {
      if (error instanceof FS.ErrnoError) return -error.errno;
      throw error;
    }
  };
  added['sockmux_shutdown__deps'] = ['$sockmuxOperation'];
  added['sockmux_shutdown__proxy'] = 'sync';
  added['sockmux_shutdown__sig'] = 'iii';
  added['sockmux_shutdown'] = function(fd, how) {
    return sockmuxOperation('shutdown', -52, fd, [how]);
  };
  added['sockmux_setsockopt__deps'] = ['$sockmuxOperation'];
  added['sockmux_setsockopt__proxy'] = 'sync';
  added['sockmux_setsockopt__sig'] = 'iiiipi';
  added['sockmux_setsockopt'] = function(fd, level, option, value, length) {
    return sockmuxOperation('setsockopt', -50, fd, [level, option, value, length]);
  };

  /* ASYNCIFY alone: a stack of JSPI suspends by what the page's script puts into the imports. */
  if (typeof ASYNCIFY !== 'undefined' && Number(ASYNCIFY) === 1) {
    /*
     * While a call is under way that the layer watches, it leaves a function in the global
     * object: it is given the call as it is, what to do with the result, which may come
     * later, and the arguments. A second sleep at once, and frames of JavaScript in the stack, ASYNCIFY cannot do;
     * there the call is plain.
     */
    added['$sockmuxCall__deps'] = ['$Asyncify'];
    added['$sockmuxCall'] = function(call, args) {
      const attempts = globalThis[Symbol.for('sockmux.blocking')];
      const rewinding = Asyncify.state === Asyncify.State.Rewinding;
      if (!rewinding && (!attempts || Asyncify.currData || Asyncify.exportCallStack.length !== 1)) return call.apply(null, args);
      return Asyncify.handleSleep(function(wake) {
        attempts(call, wake, args);
      });
    };

    /* Names and numbers of parameters. */
    const calls = {
      __syscall_connect: 6, __syscall_bind: 6, __syscall_listen: 6, __syscall_accept4: 6, __syscall_recvfrom: 6, __syscall_recvmsg: 6, __syscall_sendto: 6, __syscall_sendmsg: 6,
      fd_read: 4, fd_write: 4, getaddrinfo: 4, getnameinfo: 7,
      _emscripten_lookup_name: 1
    };
    /* From Emscripten 6 on poll() sleeps by itself. */
    if (!library['__syscall_poll_nonblocking']) calls.__syscall_poll = 3;

    Object.keys(calls).forEach(function(name) {
      let original = library[name];
      /* Emscripten 6 keeps system calls as texts. */
      if (typeof original === 'string' && /=>|function/.test(original)) original = new Function('return ' + original)();
      if (typeof original !== 'function') return;
      const plain = 'sockmux_plain_' + name;
      ['__deps', '__docs', '__i53abi', '__postset'].forEach(function(decorator) {
        if (library[name + decorator]) added['$' + plain + decorator] = library[name + decorator];
      });
      added['$' + plain] = original;
      added[name + '__deps'] = ['$sockmuxCall', '$' + plain];
      added[name + '__async'] = true;
      if (library[name + '__proxy']) added[name + '__proxy'] = library[name + '__proxy'];
      const parameters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].slice(0, calls[name]).join(', ');
      added[name] = new Function(parameters, 'return sockmuxCall(function(' + parameters + ') { return ' + plain + '(' + parameters + '); }, [' + parameters + ']);');
    });
  }

  mergeInto(library, added);
})();
