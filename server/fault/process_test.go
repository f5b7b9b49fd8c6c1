package fault_test

import (
	"fmt"
	"os"
)

// roleVariable makes the test binary another process: a server or a client to be killed.
const roleVariable = "SOCKMUX_FAULT_ROLE"

func play(role string) int {
	fmt.Fprintln(os.Stderr, "unknown role", role)
	return 2
}
