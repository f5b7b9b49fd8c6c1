package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// report is what a run leaves, in the same form as bench/browser's: every value, one a round.
type report struct {
	Title        string         `json:"title"`
	Facts        map[string]any `json:"facts"`
	Measurements []measurement  `json:"measurements"`
}

type measurement struct {
	Family string   `json:"family"`
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Goal   string   `json:"goal,omitempty"`
	Values valuesOf `json:"values"`
}

// valuesOf holds the values of each rival; values of the same index are of the same round.
type valuesOf map[string][]float64

func (v valuesOf) add(kind string, value float64) { v[kind] = append(v[kind], value) }

func (r *report) add(m measurement) {
	if len(m.Values) == 0 {
		return
	}
	r.Measurements = append(r.Measurements, m)
	var cells []string
	for _, kind := range slices.Sorted(func(yield func(string) bool) {
		for kind := range m.Values {
			if !yield(kind) {
				return
			}
		}
	}) {
		cell := fmt.Sprintf("%s %.4g", kind, median(m.Values[kind]))
		if ours := m.Values["sockmux"]; kind != "sockmux" && len(ours) == len(m.Values[kind]) {
			cell += fmt.Sprintf(" (sockmux %.2fx)", ratio(ours, m.Values[kind]))
		}
		cells = append(cells, cell)
	}
	fmt.Printf("%s: %s, %s: %s\n", m.Family, m.Name, m.Unit, strings.Join(cells, ", "))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ratio is the median of the ratios within each round.
func ratio(ours, theirs []float64) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / theirs[i]
	}
	return median(ratios)
}

func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
