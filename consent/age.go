// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"strconv"
	"strings"
)

// checkAge decides from a band, never from a birth date (brief, 9). A band answers with the least
// age that it vouches for:
//
//	"16+", "16-17"  at least 16
//	"adult"         at least 18
//	"minor"         below the age of consent, wherever that lies
//	"under_16"      the same: the retailer put the line at 16
//	anything else   unknown, and unknown is not enough
func (j Jurisdiction) checkAge(band string) error {
	if under, ok := strings.CutPrefix(band, "under_"); band == "minor" || ok && isAge(under) {
		return ErrAgeBelow
	}
	least, ok := leastAge(band)
	if !ok {
		return ErrAgeUnknown
	}
	if least < j.MinAge {
		return fmt.Errorf("%w: %d in %s", ErrAgeBelow, j.MinAge, j.ID)
	}
	return nil
}

func leastAge(band string) (int, bool) {
	if band == "adult" {
		return 18, true
	}
	if least, ok := strings.CutSuffix(band, "+"); ok {
		return ageOf(least)
	}
	low, high, ok := strings.Cut(band, "-")
	if !ok {
		return 0, false
	}
	a, okA := ageOf(low)
	b, okB := ageOf(high)
	return a, okA && okB && a <= b
}

func isAge(s string) bool {
	_, ok := ageOf(s)
	return ok
}

// ageOf reads one or two digits and nothing else.
func ageOf(s string) (int, bool) {
	if len(s) == 0 || len(s) > 2 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// OldEnough holds the age band of a token against the law of a store's place: ErrAgeBelow, ErrAgeUnknown.
func (l *Ledger) OldEnough(store, band string) error {
	place, err := l.Registry().placeOf(store, "")
	if err != nil {
		return err
	}
	return place.checkAge(band)
}
