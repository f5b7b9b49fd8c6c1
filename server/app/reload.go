package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/server/app/memory"
	"github.com/sockmux/sockmux/server/app/sdnotify"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/session"
)

// lookInterval is how often the files are looked at. That costs a system call for each;
// notifications of the system miss files that are links, or mounted.
const lookInterval = 2 * time.Second

// reloader puts new settings into a server that runs. Nothing is dropped by it but what
// the new settings forbid: sessions whose credentials were revoked.
type reloader struct {
	load         func() (*config.Config, error) // reads all settings anew
	started      *config.Config                 // with which the server runs where a reload changes nothing
	credentials  *config.Credentials
	policies     *policies
	sessions     *session.Registry
	routes       *gateway.Gateway
	certificates *listener.Certificates // nil: none from files
	logger       *slog.Logger

	held bool // the file in force holds a setting or a policy; only run uses it

	mu   sync.Mutex
	good bool // the last reload
	when time.Time
}

// reloaded says how the last reload ended, and when; before the first, how the server began.
func (r *reloader) reloaded() (good bool, when time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.good, r.when
}

func (r *reloader) ended(good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good, r.when = good, time.Now()
}

// watch begins to reload at SIGHUP and when a file has changed, until stop is called, which waits.
func (r *reloader) watch() (stop func()) {
	r.ended(true)
	r.held = r.started.File != "" && !r.started.Empty
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	tick := time.NewTicker(lookInterval)
	ctx, cancel := context.WithCancel(context.Background()) // until stop
	var task sync.WaitGroup
	files := stampsOf(r.files()) // before a client can know that the server runs
	task.Go(func() { r.run(ctx, hup, tick.C, files) })
	return func() {
		signal.Stop(hup)
		tick.Stop()
		cancel()
		task.Wait()
	}
}

func (r *reloader) run(ctx context.Context, hup <-chan os.Signal, tick <-chan time.Time, files map[string]stamp) {
	for {
		why := ""
		select {
		case <-ctx.Done():
			return
		case <-hup:
			why = "SIGHUP"
		case <-tick:
		}
		now := stampsOf(r.files())
		if changed := differing(files, now); why == "" && len(changed) > 0 {
			why = "changed: " + strings.Join(changed, ", ")
		}
		files = now
		if why != "" {
			r.reload(why)
		}
	}
}

// reload reads everything anew and puts it into force. On any mistake everything stays as it is.
func (r *reloader) reload(why string) {
	tell(r.logger, sdnotify.Reloading())
	defer tell(r.logger, sdnotify.Ready)
	r.logger.Info("reloading", "reason", why)
	next, err := r.load()
	if err == nil && next.Empty && r.held {
		err = fmt.Errorf("%s holds no setting and no policy any more: restart the server to run it so", next.File)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			r.logger.Error("reload refused: everything stays as it was", "error", strings.TrimSuffix(line, "\n"))
		}
		r.ended(false)
		return
	}
	r.held = r.held || !next.Empty
	good := true
	// Load has read all files and found them good; a mistake now is of a file that has
	// changed since, and is found again when it is looked at next.
	for _, err := range r.credentials.Reload() {
		good = false
		r.logger.Error("reload refused: these credentials stay as they were", "error", err.Error())
	}
	if r.certificates != nil {
		if _, err := r.certificates.Reload(); err != nil {
			good = false
			r.logger.Error("reload refused: the certificates stay as they were", "error", err.Error())
		}
	}
	r.policies.set(next)
	r.routes.SetAllowOrigins(next.AllowOrigins)
	r.sessions.SetCapacity(next.MaxSessions, next.Detached())
	r.sessions.Review()
	for _, warning := range next.Warnings {
		r.logger.Warn(warning)
	}
	warnOfDescriptors(next.MaxSessions, r.logger)
	warnOfMemory(next.MaxSessions, memory.Budget(r.started.MaxMemory), r.logger)
	if names := next.Restart(r.started); len(names) > 0 {
		r.logger.Warn("changed, and needs a restart", "settings", strings.Join(names, ", "))
	}
	r.logger.Info("reloaded", "policies", strings.Join(next.PolicyNames(), ", "))
	r.ended(good)
}

// files are those whose change is a reason to reload. Certificates are watched by their
// own package.
func (r *reloader) files() (names []string) {
	for _, name := range []string{r.started.File, r.started.TokenFile, r.started.JWTKeys} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// stamp tells one state of a file from another; the zero value is that of a file that is not there.
type stamp struct {
	modified time.Time
	size     int64
}

func stampsOf(names []string) map[string]stamp {
	stamps := make(map[string]stamp, len(names))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			stamps[name] = stamp{info.ModTime(), info.Size()}
		} else {
			stamps[name] = stamp{}
		}
	}
	return stamps
}

func differing(before, now map[string]stamp) (names []string) {
	for name, s := range now {
		if before[name] != s {
			names = append(names, name)
		}
	}
	return names
}
