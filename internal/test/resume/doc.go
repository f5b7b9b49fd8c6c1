// Package resume has tests of sessions that lose their connections, against the assembled
// server: a session is not given up while the server still has it. docs/RELIABILITY.md has
// the promises, and the table of what ends a session and what does not.
package resume
