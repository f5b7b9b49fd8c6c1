package namespace

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/internal/test/product"
)

// inside names the test that a process runs in its namespaces.
const inside = "SOCKMUX_TEST_NAMESPACE"

// Run runs the test f in namespaces of its own: in another process of the same test binary,
// which runs the calling test alone. Only a test's own goroutine may call it, once.
func Run(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		enter(t)
		f(t)
		return
	}
	binary, err := product.Binary() // building takes a network that may fetch modules
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	c.Env = append(os.Environ(), inside+"="+t.Name(), "SOCKMUX_BINARY="+binary)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("in namespaces of its own (they need root, or user namespaces for everybody): %v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// enter prepares the namespaces of this process.
func enter(t *testing.T) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("private mounts: %v", err)
	}
	ifreq, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	ifreq.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	control(t, unix.SIOCSIFFLAGS, ifreq)
}

// control changes an interface of the calling thread's network. Any goroutine may call it.
func control(t *testing.T, request uint, ifreq *unix.Ifreq) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, request, ifreq); err != nil {
		t.Errorf("%s: %v", ifreq.Name(), err)
	}
}

// added counts the addresses of AddAddress.
var added int

// AddAddress gives the loopback interface an IPv4 address, with a prefix of 32 bits.
func AddAddress(t *testing.T, addr netip.Addr) {
	t.Helper()
	added++
	for _, step := range []struct {
		request uint
		value   [4]byte
	}{{unix.SIOCSIFADDR, addr.As4()}, {unix.SIOCSIFNETMASK, [4]byte{255, 255, 255, 255}}} {
		ifreq, err := unix.NewIfreq("lo:" + strconv.Itoa(added))
		if err != nil {
			t.Fatal(err)
		}
		if err := ifreq.SetInet4Addr(step.value[:]); err != nil {
			t.Fatal(err)
		}
		control(t, step.request, ifreq)
	}
}

// Replace gives a file of the system another text.
func Replace(t *testing.T, path, text string) {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(own, real, "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(real, 0); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	})
}
