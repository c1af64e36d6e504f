// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// PositionKept is how long a position lives, as registries declare it; tracking.PositionLife is the same.
const PositionKept = "PT30S"

// requestKept is the same for what comes with a request: until a day after it was settled.
const requestKept = "P1D"

// kept tells for how long this server keeps each field of a frame that a registry can declare. A registry
// that promises something else is refused, so that what is published is what is done (brief, 17 and 44).
var kept = []struct {
	field, life string
}{
	{"lat", PositionKept}, {"lng", PositionKept}, {"accuracy_m", PositionKept}, {"accuracy_basis", PositionKept}, {"level", PositionKept},
	{"speed_mps", PositionKept}, {"heading_deg", PositionKept}, {"source", PositionKept}, {"mocked", PositionKept},
	{"app_state", PositionKept}, {"precise", PositionKept},
	{"topic", requestKept}, {"show_me", requestKept}, {"kind", requestKept}, {"ref", requestKept},
}

func keptFor(field string) (string, bool) {
	for _, k := range kept {
		if k.field == field {
			return k.life, true
		}
	}
	return "", false
}

func frameFields() []string {
	var out []string
	for _, k := range kept {
		out = append(out, k.field)
	}
	slices.Sort(out)
	return out
}

var retentionForm = regexp.MustCompile(`^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$`)

// parseRetention reads an ISO 8601 duration of days, hours, minutes and seconds, above zero.
func parseRetention(s string) (time.Duration, error) {
	m := retentionForm.FindStringSubmatch(s)
	var total time.Duration
	if m != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi(m[i+1]) // an empty part is none
			total += time.Duration(n) * unit
		}
	}
	if total <= 0 {
		return 0, fmt.Errorf("%q is not an ISO 8601 duration", s)
	}
	return total, nil
}
