package app

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the build: -ldflags "-X github.com/sockmux/sockmux/server/app.version=v1.2.3".
var version = "dev"

// unset is what version is in a build that sets none.
const unset = "dev"

// Version returns the version of the build. If the build set none, it is what the go command
// knows of the module: with go install MODULE@v1.2.3 that is v1.2.3.
func Version() string {
	if version != unset {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}

// VersionLine returns what --version prints: the build, the Go release, the system.
func VersionLine() string {
	return fmt.Sprintf("sockmux %s %s %s/%s", Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
