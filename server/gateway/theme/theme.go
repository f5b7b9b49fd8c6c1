// Package theme holds what the playground and the status page have in common: colors,
// icon, the switch between light and dark, and the form of numbers. The status page
// serves it from here, the build copies it into the playground's folder (js/js.mk); in
// both it lies beside the page's own files.
package theme

import "embed"

// Files are the files by their names, in no folder.
//
//go:embed *.css *.js *.svg
var Files embed.FS
