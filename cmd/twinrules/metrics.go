package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/twinrules/twinrules/engine"
)

// metrics are what serve counts. No label ever holds a device's id: their
// number is not bounded.
type metrics struct {
	registry    *prometheus.Registry
	passes      *prometheus.CounterVec
	missed      *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	lastSuccess *prometheus.GaugeVec
	matches     *prometheus.GaugeVec
	pending     *prometheus.GaugeVec
	failures    *prometheus.GaugeVec
	warnings    *prometheus.GaugeVec
	fuel        *prometheus.GaugeVec
	patches     *prometheus.CounterVec
	twins       *prometheus.GaugeVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry:    prometheus.NewRegistry(),
		passes:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "twinrules_runs_total", Help: "Passes by their result."}, []string{"pack", "hub", "result"}),
		missed:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "twinrules_runs_missed_total", Help: "Scheduled times that passed while another pass ran."}, []string{"pack", "hub"}),
		duration:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "twinrules_run_duration_seconds", Help: "How long passes took.", Buckets: []float64{0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000}}, []string{"pack", "hub"}),
		lastSuccess: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_run_last_success_timestamp_seconds", Help: "When a pass last ended as ok."}, []string{"pack", "hub"}),
		matches:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_rule_matches", Help: "Twins for which the rule's condition held in the last pass."}, []string{"pack", "hub", "rule"}),
		pending:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_rule_pending_changes", Help: "Twins that the rule wanted to change in the last pass."}, []string{"pack", "hub", "rule"}),
		failures:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_rule_failures", Help: "Twins that the rule could not judge in the last pass."}, []string{"pack", "hub", "rule"}),
		warnings:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_rule_warnings", Help: "Twins on which the rule's plugin failed in the last pass, where the rule says onError: warn."}, []string{"pack", "hub", "rule"}),
		fuel:        prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_plugin_fuel", Help: "Units of fuel that the plugin used in the last pass."}, []string{"pack", "hub", "plugin"}),
		patches:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "twinrules_patches_total", Help: "Writes by their outcome."}, []string{"pack", "hub", "result"}),
		twins:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "twinrules_snapshot_twins", Help: "Twins read in the last pass."}, []string{"hub", "kind"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "twinrules_build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version()}})
	build.Set(1)
	m.registry.MustRegister(m.passes, m.missed, m.duration, m.lastSuccess, m.matches, m.pending, m.failures, m.warnings, m.fuel, m.patches, m.twins, build)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// pass counts one pass.
func (m *metrics) pass(pack, hub string, p *pass, err error, took time.Duration, ended time.Time) {
	m.passes.WithLabelValues(pack, hub, result(p, err)).Inc()
	m.duration.WithLabelValues(pack, hub).Observe(took.Seconds())
	if result(p, err) == "ok" {
		m.lastSuccess.WithLabelValues(pack, hub).Set(float64(ended.Unix()))
	}
	if p == nil {
		return
	}
	m.twins.WithLabelValues(hub, "device").Set(float64(p.plan.Fleet.Devices))
	m.twins.WithLabelValues(hub, "module").Set(float64(p.plan.Fleet.Modules))
	for _, r := range p.plan.Rules {
		m.matches.WithLabelValues(pack, hub, r.Rule).Set(float64(r.Matched))
		m.pending.WithLabelValues(pack, hub, r.Rule).Set(float64(r.Changed))
		m.failures.WithLabelValues(pack, hub, r.Rule).Set(float64(r.Failed))
		m.warnings.WithLabelValues(pack, hub, r.Rule).Set(float64(r.Warned))
	}
	for _, s := range p.plan.Spending.Plugins {
		m.fuel.WithLabelValues(pack, hub, s.Plugin).Set(float64(s.Fuel))
	}
	if p.receipt == nil {
		return
	}
	for _, s := range []engine.Status{engine.Written, engine.Converged, engine.Changed, engine.Gone, engine.Rejected, engine.InDoubt} {
		m.patches.WithLabelValues(pack, hub, string(s)).Add(float64(p.receipt.Count(s)))
	}
}
