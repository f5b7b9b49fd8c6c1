// Package notsentlowat keeps the data that a connection has not sent yet in this program
// rather than in the kernel, which would take megabytes of it: in the program it can
// still choose its place, so that a keystroke does not wait behind a download, and it is
// within the bounds of its session, so that a thousand targets that read nothing do not
// use up what the system gives to TCP. Limit is for targets, Follow for what carries
// messages.
package notsentlowat
