package test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
)

// postgres starts PostgreSQL and returns the URL of a database.
func postgres(t *testing.T) string {
	t.Helper()
	// Debian has one folder a version, which is not in PATH.
	versions, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		versions = append(versions, filepath.Dir(path))
	}
	if len(versions) == 0 {
		missing(t, "PostgreSQL")
	}
	bin := slices.Max(versions)

	dir, err := os.MkdirTemp("", "sockmux-postgres") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const password = "secret"
	passwords := filepath.Join(dir, "password")
	if err := os.WriteFile(passwords, []byte(password), 0o644); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir = dir
		c.SysProcAttr = unprivileged(t, dir)
		return c
	}
	data, port := filepath.Join(dir, "data"), ports.FreeFor(t)
	if out, err := command("initdb", "--pgdata", data, "--username", "alice", "--pwfile", passwords,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	service(t, command("postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off"), "ready to accept connections", syscall.SIGINT)
	return "postgres://alice:" + password + "@127.0.0.1:" + port + "/postgres?sslmode=disable"
}

// unprivileged gives a folder to a user other than root, as whom PostgreSQL must run.
func unprivileged(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func TestPGX(t *testing.T) {
	url := postgres(t)
	server := product.Start(t, "--allow", "127.0.0.1")
	code, stdout, stderr := run(t, "pgx", "--server", server.URL(), url)
	want := regexp.MustCompile(`^connected to PostgreSQL \d[^\n]* at 127\.0\.0\.1
a query of 10s was canceled after [^\n]+
COPY: sent 100000 rows, fetched 100000 as \d{7} bytes
notified: hello
$`)
	if code != 0 || !want.MatchString(stdout) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	t.Log(stdout)

	dialer := dialerFor(t, server)
	t.Run("a deadline without a request to cancel", func(t *testing.T) { deadline(t, dialer, url) })
}

// config returns the settings that a program writes first: no handler of contexts.
func config(t *testing.T, dialer *sockmux.Dialer, url string) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DialFunc = dialer.DialContext
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	return config
}

// deadline: a context that ends makes pgx set a deadline in the past, which ends a Read that
// waits.
func deadline(t *testing.T, dialer *sockmux.Dialer, url string) {
	conn, err := pgx.ConnectConfig(t.Context(), config(t, dialer, url))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	const query = 2 * patience
	if _, err = conn.Exec(ctx, "select pg_sleep($1)", query.Seconds()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the query's error: %v", err)
	}
	if took := time.Since(start); took >= query/2 {
		t.Errorf("a deadline of 300ms ended a query of %s after %s", query, took)
	}
	<-conn.PgConn().CleanupDone() // pgx asks the database to cancel the query, by a connection of its own
	if conn, err = pgx.ConnectConfig(t.Context(), config(t, dialer, url)); err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for running := 1; running > 0; {
		const sleeping = "select count(*) from pg_stat_activity where query like '%pg_sleep($1)%' and state = 'active' and pid <> pg_backend_pid()"
		if err := conn.QueryRow(t.Context(), sleeping).Scan(&running); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) > patience {
			t.Fatal("the query still runs at the database")
		}
	}
}

// TestPGXConnectTimeout: a target that says nothing does not hold a program beyond its context.
func TestPGXConnectTimeout(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	silent := product.Target(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }) // until the client ends
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := pgx.ConnectConfig(ctx, config(t, dialerFor(t, server), "postgres://alice@"+silent.String()+"/shop?sslmode=disable"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
