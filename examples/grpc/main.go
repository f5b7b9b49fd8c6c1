// Command grpc asks a gRPC server behind a sockmux server for its health, as grpc_health_probe
// does, and then watches it: a unary call with a deadline and a stream of the server's.
//
//	go run ./examples/grpc --server http://127.0.0.1:8088/ --watch 10s api.example.org:50051
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/sockmux/sockmux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func main() {
	server := flag.String("server", "http://127.0.0.1:8088/", "URL of the sockmux server")
	token := flag.String("token", os.Getenv("SOCKMUX_TOKEN"), "credential for the sockmux server")
	service := flag.String("service", "", "name of the service; \"\": the server as a whole")
	timeout := flag.Duration("timeout", 5*time.Second, "how long the first answer may take")
	watch := flag.Duration("watch", 0, "how long to print further states")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: grpc [flags] HOST:PORT")
	}
	dialer := &sockmux.Dialer{URL: *server, Token: *token}
	err := probe(dialer, flag.Arg(0), *service, *timeout, *watch)
	if err := errors.Join(err, dialer.Close()); err != nil {
		log.Fatal(err)
	}
}

func probe(dialer *sockmux.Dialer, address, service string, timeout, watch time.Duration) error {
	// "passthrough" leaves the name to the sockmux server. TLS would be credentials.NewTLS.
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		return err
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	request := &grpc_health_v1.HealthCheckRequest{Service: service}

	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer, err := client.Check(ctx, request)
	if err != nil {
		return err
	}
	fmt.Println(answer.Status)
	if watch == 0 {
		return nil
	}
	ctx, cancel = context.WithTimeout(context.Background(), watch)
	defer cancel()
	states, err := client.Watch(ctx, request)
	for err == nil {
		if answer, err = states.Recv(); err == nil {
			fmt.Println(answer.Status)
		}
	}
	if status.Code(err) == codes.DeadlineExceeded {
		return nil // as was asked for
	}
	return err
}
