package main

import _ "embed"

// release is the Go release whose functions cuts names. Patch releases keep them.
const release = "go1.26"

// cuts holds the changes by package. Each group says why a page cannot miss what is cut.
// tools/check-imports holds what they rely on: ./wasm imports no package that reads
// traces, profiles or metrics, and go.mod sets nothing for GODEBUG.
//
// reseed.go is no cut: a copy of the initialized program begins with it (js/snapshot).
var cuts = map[string]changes{
	"runtime": {
		bodies: map[string]string{
			// Only runtime/trace starts an execution trace.
			"traceEnabled":          "return false",
			"traceAllocFreeEnabled": "return false",
			"traceShuttingDown":     "return false",
			"traceAcquire":          "return traceLocker{}",
			"traceLocker.ok":        "return false",
			"traceLocker.SpanFree":  "",
			"traceThreadDestroy":    "",

			// Only runtime/pprof and the profiles of package runtime read these records.
			"profilealloc":              "c := getMCache(mp); c.memProfRate = MemProfileRate; c.nextSample = nextSample()",
			"blockevent":                "",
			"saveblockevent":            "",
			"tryRecordGoroutineProfile": "",

			// GODEBUG: the defaults stay. Nothing sets it in a page.
			"parsegodebug":     "",
			"reparsedebugvars": "",

			// Tests of the compiler and the linker that run at each start.
			"check":             "",
			"moduledataverify1": "",

			// There are no plugins, C code, arenas or preemption by signals in wasm.
			"typelinksinit":                  `if firstmoduledata.next != nil { throw("leango: a program of several modules") }`,
			"printCgoTraceback":              "",
			"expandCgoFrames":                "return nil",
			"mspan.setUserArenaChunkToFault": `throw("leango: an arena")`,
			"scanConservative":               `throw("leango: a frame without a stack map")`,

			// The runtime prints these before it ends for broken memory. Its last line stays.
			"gcDumpObject":        "",
			"tracebackHexdump":    "",
			"hexdumpWords":        "",
			"mspan.reportZombies": `throw("found pointer to free object")`,

			// trimwasm takes out the tables that printArgs reads.
			"printArgs": "",

			// A panic's value: errors, strings and whole numbers are printed as before,
			// floats as bits, other named types as type and address.
			"printfloat64":    "print(hex(float64bits(v)))",
			"printfloat32":    "print(hex(float64bits(float64(v))))",
			"printcomplex128": "print(real(c), imag(c))",
			"printcomplex64":  "print(real(c), imag(c))",
			"printanycustomtype": `eface := efaceOf(&i)
	if eface._type.Kind() == abi.String {
		print(toRType(eface._type).string(), "(\"")
		printindented(*(*string)(eface.data))
		print("\")")
		return
	}
	print("(", toRType(eface._type).string(), ") ", eface.data)`,
			"panicwrap": `panic(plainError("value method called using nil pointer"))`,
		},
		added: map[string]string{"sockmux_reseed.go": reseed},
		settings: map[string]string{
			"asyncpreemptoff":    "int32(0)",
			"asynctimerchan":     "int32(0)",
			"checkfinalizers":    "int32(0)",
			"clobberfree":        "int32(0)",
			"disablethp":         "int32(0)",
			"dontfreezetheworld": "int32(0)",
			"efence":             "int32(0)",
			"gccheckmark":        "int32(0)",
			"gcpacertrace":       "int32(0)",
			"gcshrinkstackoff":   "int32(0)",
			"gcstoptheworld":     "int32(0)",
			"gctrace":            "int32(0)",
			"harddecommit":       "int32(0)",
			"inittrace":          "int32(0)",
			"malloc":             "false",
			"panicnil":           "int32(0)",
			"sbrk":               "int32(0)",
			"scavtrace":          "int32(0)",
			"scheddetail":        "int32(0)",
			"schedtrace":         "int32(0)",
			"traceallocfree":     "int32(0)",
			"tracebackancestors": "int32(0)",
			"tracebacklabels":    "int32(0)",
			"tracefpunwindoff":   "int32(0)",
		},
	},

	// GODEBUG, for the packages above the runtime. An empty value is the default.
	"internal/cpu": {bodies: map[string]string{"processOptions": ""}},
	"internal/godebug": {bodies: map[string]string{
		"Setting.Value":    `return ""`,
		"Setting.register": "",
		"update":           "",
	}},

	// Names in the text of a panic for wrong use of reflection.
	"internal/reflectlite": {bodies: map[string]string{"methodName": `return "a method"`}},

	// Dates as text, with the time zones behind them. Nothing in the page prints a time.Time;
	// Time.Format is whole where code calls it.
	"context": {bodies: map[string]string{
		"timerCtx.String": `return contextName(c.cancelCtx.Context) + ".WithDeadline"`,
	}},
	"time": {bodies: map[string]string{
		"Time.String": `return string(appendInt(nil, int(t.unixSec()), 0)) + " s after 1970"`,
	}},
}

//go:embed _added/reseed.go
var reseed string
