package auth_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// A token is made, written down as a hash, used, and revoked by a reload.
func Example() {
	directory, err := os.MkdirTemp("", "sockmux")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "tokens")

	token := auth.NewToken()
	line, err := auth.Line("alice", token, "inside", time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = os.WriteFile(path, []byte(line+"\n"), 0o600)

	tokens, err := auth.OpenTokens(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	identity, err := auth.Any(tokens).Authenticate(context.Background(), auth.Credentials{Token: token})
	fmt.Println(identity, identity.Policy, err)

	_ = os.WriteFile(path, []byte("# nobody\n"), 0o600)
	fmt.Println(tokens.Reload())
	_, err = identity.Current()
	var refusal *wire.Error
	fmt.Println(errors.As(err, &refusal), refusal.Code, refusal.Text)

	// Output:
	// token:alice inside <nil>
	// <nil>
	// true expired the token of alice was revoked
}
