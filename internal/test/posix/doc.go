// Package posix tests Emscripten's full POSIX sockets against the assembled server, with
// messages made by hand. A program that emcc has compiled is in e2e/posix.test.js.
package posix
