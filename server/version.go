package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the build: -ldflags "-X main.version=v1.2.3".
var version = "dev"

// unset is what version is in a build that sets none.
const unset = "dev"

// buildVersion is the version of the build, or else what the go command knows of the module: with go install MODULE@v1.2.3 that is v1.2.3.
func buildVersion() string {
	if version != unset {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}

func versionLine() string {
	return fmt.Sprintf("sockmux %s %s %s/%s", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
