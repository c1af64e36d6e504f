// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/consent"
)

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// goneClaims are what a console can keep to show that it was told to forget.
type goneClaims struct {
	jwt.RegisteredClaims
	Alert  string `json:"alert"`
	Change int64  `json:"change"`
	Reason string `json:"reason"`
}

// prover signs that a visit is gone. A signature that cannot be made is left out: being told is
// what counts.
func prover(keys func() consent.Keys, log *slog.Logger) func(string, consent.End, time.Time) string {
	return func(alert string, e consent.End, at time.Time) string {
		s, err := keys().Sign("doorstep-gone+jwt", goneClaims{
			RegisteredClaims: jwt.RegisteredClaims{Issuer: "doorstep", Subject: e.Visit, IssuedAt: jwt.NewNumericDate(at)},
			Alert:            alert, Change: e.Change, Reason: string(e.Reason),
		})
		if err != nil {
			log.Error("a proof that a visit is gone could not be signed", "error", err)
		}
		return s
	}
}
