package test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// patient is a service whose calls end when their context does. It tells why that was.
type patient struct {
	grpc_health_v1.UnimplementedHealthServer
	ended chan error
}

// Check answers at once, except for the service "slow".
func (p *patient) Check(ctx context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if r.Service == "slow" {
		<-ctx.Done() // the deadline holds here too, and may be the first to pass
		p.ended <- ctx.Err()
		return nil, ctx.Err()
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

// Watch sends two states and waits.
func (p *patient) Watch(_ *grpc_health_v1.HealthCheckRequest, to grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	for _, state := range []grpc_health_v1.HealthCheckResponse_ServingStatus{
		grpc_health_v1.HealthCheckResponse_NOT_SERVING, grpc_health_v1.HealthCheckResponse_SERVING,
	} {
		if err := to.Send(&grpc_health_v1.HealthCheckResponse{Status: state}); err != nil {
			return err
		}
	}
	<-to.Context().Done()
	p.ended <- to.Context().Err()
	return to.Context().Err()
}

// patientServer starts the service and returns its address.
func patientServer(t *testing.T) (*patient, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{ended: make(chan error, 10)}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, p)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return p, listener.Addr().String()
}

// hasEnded waits for the end of a call at the server.
func hasEnded(t *testing.T, p *patient) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("the call goes on at the server")
	}
}

func TestGRPC(t *testing.T) {
	p, address := patientServer(t)
	server := product.Start(t, "--allow", "127.0.0.1")

	code, stdout, stderr := run(t, "grpc", "--server", server.URL(), "--watch", "1s", address)
	if code != 0 || stdout != "SERVING\nNOT_SERVING\nSERVING\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	hasEnded(t, p)
	code, stdout, stderr = run(t, "grpc", "--server", server.URL(), "--service", "slow", "--timeout", "300ms", address)
	if code != 1 || !strings.Contains(stderr, "DeadlineExceeded") {
		t.Errorf("a deadline: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	hasEnded(t, p)
	code, _, stderr = run(t, "grpc", "--server", server.URL(), "127.0.0.1:"+ports.FreeFor(t))
	if code != 1 || !strings.Contains(stderr, "refused") {
		t.Errorf("a port without a listener: exit code %d, stderr %q", code, stderr)
	}
}

// TestGRPCCancel: calls that are canceled end at the server, and their connection serves others.
func TestGRPCCancel(t *testing.T) {
	p, address := patientServer(t)
	dialer := dialerFor(t, product.Start(t, "--allow", "127.0.0.1"))
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	ctx, cancel := context.WithCancel(t.Context())
	states, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := states.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := states.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the canceled stream: %v", err)
	}
	hasEnded(t, p)
	if _, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("the call behind it: %v", err)
	}
}
