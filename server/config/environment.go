package config

import (
	"maps"
	"slices"
	"strings"
)

// unknownVariables warns of variables that look like ours and are not; known are our
// names without EnvPrefix. They are no errors: other programs may have made them.
func unknownVariables(values map[string]string, known []string) (warnings []string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if fromKubernetes(name) {
			continue
		}
		warning := name + " is not a setting of sockmux and is ignored"
		// The prefix that all share must not make any two look alike.
		if near := nearest(strings.TrimPrefix(name, EnvPrefix), known); near != "" {
			warning += ": did you mean " + EnvPrefix + near + "?"
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// fromKubernetes knows the variables that Kubernetes puts into every container of a
// namespace that has a service called sockmux
// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
func fromKubernetes(name string) bool {
	rest := strings.TrimPrefix(name, EnvPrefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}
