// Command pgx works with a PostgreSQL database behind a sockmux server: a query with a deadline,
// one that is canceled at the database, COPY in both directions, and a notification.
//
//	go run ./examples/pgx --server http://127.0.0.1:8088/ postgres://alice@db.example.org/shop
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/sockmux/sockmux"
)

func main() {
	server := flag.String("server", "http://127.0.0.1:8088/", "URL of the sockmux server")
	token := flag.String("token", os.Getenv("SOCKMUX_TOKEN"), "credential for the sockmux server")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: pgx [flags] postgres://USER:PASSWORD@HOST/DATABASE")
	}
	dialer := &sockmux.Dialer{URL: *server, Token: *token}
	err := work(context.Background(), dialer, flag.Arg(0))
	if err := errors.Join(err, dialer.Close()); err != nil {
		log.Fatal(err)
	}
}

func connect(ctx context.Context, dialer *sockmux.Dialer, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.DialFunc = dialer.DialContext
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) {
		return []string{host}, nil // the server resolves names
	}
	// A context that ends cancels the query at the database, by a second connection, and the
	// first one can still be used. Without this line pgx closes the connection.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
	}
	return pgx.ConnectConfig(ctx, config)
}

func work(ctx context.Context, dialer *sockmux.Dialer, url string) error {
	conn, err := connect(ctx, dialer, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var version string
	if err := conn.QueryRow(ctx, "show server_version").Scan(&version); err != nil {
		return err
	}
	fmt.Println("connected to PostgreSQL", version, "at", conn.PgConn().Conn().RemoteAddr().(*net.TCPAddr).IP)
	for _, step := range []func(context.Context, *pgx.Conn) error{deadline, copyBothWays, notify} {
		if err := step(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// deadline gives a query of ten seconds 300 ms.
func deadline(ctx context.Context, conn *pgx.Conn) error {
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	const queryCanceled = "57014" // PostgreSQL's code
	var failed *pgconn.PgError
	if _, err := conn.Exec(short, "select pg_sleep(10)"); !errors.As(err, &failed) || failed.Code != queryCanceled {
		return fmt.Errorf("the query with a deadline: %w", err)
	}
	fmt.Println("a query of 10s was canceled after", time.Since(start).Round(100*time.Millisecond))
	return nil
}

// copyBothWays sends rows by COPY and fetches them again.
func copyBothWays(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "create temporary table numbers (n integer, square integer)"); err != nil {
		return err
	}
	sent, err := conn.CopyFrom(ctx, pgx.Identifier{"numbers"}, []string{"n", "square"},
		pgx.CopyFromSlice(100_000, func(i int) ([]any, error) { return []any{i, i % 1000 * (i % 1000)}, nil }))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fetched, err := conn.PgConn().CopyTo(ctx, &text, "copy numbers to stdout")
	if err != nil {
		return err
	}
	fmt.Println("COPY: sent", sent, "rows, fetched", fetched.RowsAffected(), "as", text.Len(), "bytes")
	return nil
}

// notify listens to a channel and sends a notification to itself.
func notify(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "listen news; notify news, 'hello'"); err != nil {
		return err
	}
	news, err := conn.WaitForNotification(ctx)
	if err != nil {
		return err
	}
	fmt.Println("notified:", news.Payload)
	return nil
}
