// Package docs has tests of the documents and comments only. Each command and snippet of the
// documents is run. Each path and each package.Name in a document or comment exists.
//
// A snippet is a fenced block, and its language names how it is run. Blocks of html, js and R
// are run in Chromium by e2e/docs.test.js. A snippet that no runner knows fails the test.
package docs
