// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"doorstep/consent"
)

// Breaking the glass. Somebody may have to be found whom nobody may look at: a child is missing, a shopper has
// collapsed and the colleague who has the alert does not answer. One person asks and says why, another one in charge
// approves; then the first has an alert of their own, for GlassLife, and every rule of looking holds as for any
// other: journalled first, the phone told first, over with the visit. It is one more alert and not a way around them.

// GlassLife is how long a broken glass lasts.
const GlassLife = 15 * time.Minute

// The roles that may approve; a person's own request never.
var glassRoles = []string{"lead", "admin"}

// Glass is what is asked for: a look at whoever raised an alert, open or settled within a day, whose visit goes on. Staff
// know a visit by nothing else.
type Glass struct {
	Alert   string `json:"alert"`
	Reason  string `json:"reason"` // the shopper reads it
	Shift   string `json:"shift"`
	Tag     string `json:"tag"`
	Role    string `json:"role"`
	Team    string `json:"team,omitempty"`
	Company string `json:"company,omitempty"`
}

// AskGlass asks for it, under an id of the asker's choice. Nothing is shown to anybody.
func (n *Node) AskGlass(ctx context.Context, store, id string, p Person, alert, reason string) error {
	if err := consent.CheckReason(reason); err != nil {
		return err
	}
	body, err := json.Marshal(Glass{alert, reason, p.Shift, p.Tag, p.Role, p.Team, p.Company})
	if err != nil {
		return fmt.Errorf("tracking: %w", err)
	}
	return n.Ledger.Move(ctx, consent.Motion{ID: id, Kind: consent.GlassMotion, Store: store, Body: body, By: p.Shift})
}

// GlassAsked is a request that waits for somebody else.
type GlassAsked struct {
	consent.Motion
	Glass
}

// GlassesAsked lists what waits in a store, oldest first.
func (n *Node) GlassesAsked(ctx context.Context, store string) ([]GlassAsked, error) {
	motions, err := n.Ledger.Motions(ctx, consent.GlassMotion, store)
	if err != nil {
		return nil, err
	}
	list := make([]GlassAsked, len(motions))
	for i, m := range motions {
		list[i].Motion = m
		if err := json.Unmarshal(m.Body, &list[i].Glass); err != nil {
			return nil, fmt.Errorf("tracking: %w", err)
		}
	}
	return list, nil
}

// BreakGlass approves a request. A refusal of the person is journalled. Errors: ErrRole, ErrNoAlert, ErrNoVisit, ErrAlertHeld
// (with the alert by which it is broken already), and consent's refusals of motions.
func (n *Node) BreakGlass(ctx context.Context, store, id string, p Person) (Alert, error) {
	a, err := n.breakGlass(ctx, store, id, p)
	if code := refusalOf(err); code != "" {
		n.refuseRead(ctx, store, p, code)
	}
	if err == nil {
		n.spread(ctx, a)
	}
	return a, err
}

func (n *Node) breakGlass(ctx context.Context, store, id string, p Person) (Alert, error) {
	if !slices.Contains(glassRoles, p.Role) {
		return Alert{}, ErrRole
	}
	if !n.Serving() {
		return Alert{}, ErrUnavailable
	}
	return n.Alerts.BreakGlass(ctx, store, id, p.Shift, n.Clock.Now())
}
