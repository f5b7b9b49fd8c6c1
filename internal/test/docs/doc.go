// Package docs has tests only: each command and snippet of the documents is run.
//
// A snippet is a fenced block, and its language names how it is run. Blocks of html, js and R
// are run in Chromium by e2e/docs.test.js. A snippet that no runner knows fails the test.
package docs
