// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func (s *Server) opsRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, map[string]string{"status": "ok"}) })
	m.HandleFunc("GET /readyz", s.readyz)
	m.HandleFunc("GET /healthz", s.readyz)
}

// readyz says whether this node may be sent requests, and if not, why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	reasons := []string{}
	if !s.Node.Serving() {
		reasons = append(reasons, "the ledger has not answered for longer than the lease: consent cannot be confirmed")
	}
	if err := s.Node.Live.Ping(ctx); err != nil {
		reasons = append(reasons, "the live state cannot be reached")
	}
	status := "ready"
	if len(reasons) > 0 {
		status = "not ready"
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	s.answer(w, map[string]any{"status": status, "reasons": reasons})
}

// Metrics are the node's counters for an operator's listener, and more that belong with them: no label carries an id.
func (s *Server) Metrics(more ...prometheus.Collector) http.Handler {
	r := prometheus.NewRegistry()
	st := &s.Node.Stats
	for _, c := range []struct {
		name, help string
		load       func() int64
	}{
		{"sessions_opened_total", "Sessions opened.", st.Opened.Load},
		{"sessions_ended_total", "Sessions ended or let go of.", st.Ended.Load},
		{"sessions_resumed_total", "Connections that resumed a session.", st.Resumed.Load},
		{"fixes_total", "Fixes received.", st.Fixes.Load},
		{"positions_accepted_total", "Fixes accepted as positions.", st.Accepted.Load},
		{"fixes_refused_total", "Fixes refused by the fence.", st.Refused.Load},
		{"positions_written_total", "Positions written to the live state.", st.Written.Load},
		{"positions_unstored_total", "Positions dropped because they could not be written.", st.Unstored.Load},
		{"writes_fenced_total", "Writes refused because the visit had ended.", st.Fenced.Load},
		{"registrations_lost_total", "Sessions let go of because the live state had lost them.", st.Missing.Load},
		{"writes_late_total", "Writes refused because they came past the deadline.", st.TooLate.Load},
		{"suspensions_total", "Visits hidden because a fix was outside.", st.Suspended.Load},
		{"alerts_raised_total", "Alerts raised.", st.Alerts.Load},
		{"ledger_polls_failed_total", "Polls of the ledger that failed.", st.PollFailed.Load},
		{"ends_retried_total", "Ends that had to be committed again.", st.EndRetried.Load},
		{"ends_unmarked_total", "Ends that could not be marked outside the ledger's database: the disk of the data folder.", st.Unmarked.Load},
		{"consoles_cut_total", "Consoles cut because they did not read.", st.ConsolesCut.Load},
		{"hints_dropped_total", "Hints to other servers dropped because the live state did not take them for a second.", st.HintsDropped.Load},
		{"frames_dropped_total", "Frames to consoles dropped by the last look before writing.", st.FramesDropped.Load},
		{"accepts_failed_total", "Connections turned away for want of a file descriptor.", s.notAccepted.Load},
		{"phones_unwatched_total", "Phones that take a goroutine each for want of a file descriptor.", s.unwatched.Load},
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "doorstep_" + c.name, Help: c.help},
			func() float64 { return float64(c.load()) }))
	}
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "doorstep_sessions", Help: "Sessions on this node."},
			func() float64 { return float64(s.Node.Sessions()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "doorstep_serving", Help: "1 while this node holds a valid lease."},
			func() float64 {
				if s.Node.Serving() {
					return 1
				}
				return 0
			}),
		buildInfo())
	r.MustRegister(more...)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

func buildInfo() prometheus.Collector {
	version := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		version = b.Main.Version
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "doorstep_build_info", Help: "Always 1; the version is the label.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
}

// countsEvery is how often what was counted is written, in seconds.
const countsEvery = 10

// Run sweeps the connections, writes what was counted and suspends whom it must, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for n := 1; ; {
		select {
		case <-ctx.Done():
			return nil
		case app := <-s.outcasts:
			s.suspend(ctx, app)
		case <-tick.C:
			if n++; n%countsEvery == 0 {
				if err := s.Ledger.WriteCounts(ctx); err != nil && ctx.Err() == nil {
					s.Log.Warn("what was counted could not be written yet; it will", "error", err)
				}
			}
			now := s.now()
			for _, p := range s.phones.list() {
				p.tick(now)
			}
		}
	}
}
