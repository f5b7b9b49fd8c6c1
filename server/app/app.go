// Package app assembles the server of its packages and runs it, from the first listener to the
// end of the drain.
//
//	err := app.Run(ctx, app.Config{Settings: settings, Load: load, Kill: kill, Stdout: os.Stdout, Stderr: os.Stderr})
package app

import (
	"context"
	"errors"
	"io"

	"github.com/sockmux/sockmux/server/config"
)

// Config is what a server is run with. All fields are required.
type Config struct {
	Settings *config.Config
	Load     func() (*config.Config, error) // reads the settings anew, for a reload
	Kill     func()                         // ends the process: the second signal has not led to an end in time
	Stdout   io.Writer                      // gets one line: the version and the server's URL
	Stderr   io.Writer                      // gets the log
}

// Run runs the server until ctx ends or a signal comes, then drains. It returns when everything
// that it started has ended. The error says what kept it from serving; the log has it.
func Run(ctx context.Context, c Config) error {
	log := openLog(c.Settings, c.Stderr)
	err := run(ctx, c, log)
	log.close(err)
	return err
}

func run(ctx context.Context, c Config, log serverLog) (err error) {
	stop, release := watch(ctx, endTime, c.Kill)
	defer release()
	s := newServer(c.Settings, stop, log.Logger)
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(); err != nil {
		return err
	}
	return s.serve(ctx, c, log.queue.Lost)
}
