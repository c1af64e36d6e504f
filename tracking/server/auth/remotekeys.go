// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Timings of fetched keys. The first two bound how long a rotation can go unnoticed: 2 s until the
// next fetch is allowed and 2.5 s for it to end, so a new key works within 5 s whatever else is
// asked for meanwhile.
const (
	refetchGap    = 2 * time.Second
	fetchTimeout  = 2500 * time.Millisecond
	refreshEvery  = 5 * time.Minute // a key that was taken back is forgotten by then
	keysStaleness = time.Hour       // without an answer for so long, no token is good any more
)

// RemoteKeys are an issuer's keys behind an address. A key id that is not known causes a fetch,
// but never more than one in two seconds, and all who wait share it: a flood of invented ids costs
// the issuer one request in that time and can neither delay nor use up the fetch that brings a new
// key. Each answer replaces the whole set; a bad answer leaves it as it was.
//
// It exists because the ready-made refresher takes an unknown id once in five minutes, or queues
// everybody who asks, and reads an answer of any length.
type RemoteKeys struct {
	address string
	client  *http.Client
	now     func() time.Time

	gap   *rate.Limiter
	one   singleflight.Group
	held  atomic.Pointer[fetched] // replaced as a whole by fetch
	close context.CancelFunc
	life  context.Context // ends with Close, so that no fetch outlives its owner
}

type fetched struct {
	keys KeySet
	at   time.Time
}

// FetchKeys fetches the set at address once, within ctx, and returns it for use. The address must
// be https, or http on a loopback host; redirects are not followed. A nil client is one of the
// standard kind. Without a usable first answer
// it fails, so that a wrong address is found at the start. Close it after use.
func FetchKeys(ctx context.Context, address string, client *http.Client, now func() time.Time) (*RemoteKeys, error) {
	if err := safeAddress(address); err != nil {
		return nil, err
	}
	var bounded http.Client
	if client != nil {
		bounded = *client
	}
	bounded.Timeout = fetchTimeout
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &RemoteKeys{address: address, client: &bounded, now: now,
		gap: rate.NewLimiter(rate.Every(refetchGap), 1), close: cancel, life: life}
	r.gap.AllowN(now(), 1) // the first fetch counts
	if err := r.fetch(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("fetch the keys: %w", err)
	}
	return r, nil
}

func safeAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return &SettingError{"Keys", "not an address", "Give the issuer's jwks_uri, such as https://login.example/jwks.json."}
	}
	if u.Scheme == "https" || (u.Scheme == "http" && isLoopback(u.Hostname())) {
		return nil
	}
	return &SettingError{"Keys", "not https", "Fetch keys over https; plain http is for loopback only."}
}

// Close stops fetches that are under way. Keys that are held stay usable until they are stale.
func (r *RemoteKeys) Close() { r.close() }

// Key implements Keys. It waits for a fetch only if kid is not known, at most fetchTimeout.
func (r *RemoteKeys) Key(ctx context.Context, kid string) (Key, error) {
	age := r.now().Sub(r.held.Load().at)
	k, err := r.known(kid)
	if err == nil && age < refreshEvery {
		return k, nil
	}
	done := r.refresh()
	if err == nil && age < keysStaleness {
		return k, nil // good enough while the fetch is under way
	}
	select {
	case <-done:
	case <-ctx.Done():
		return Key{}, ctx.Err()
	}
	if r.now().Sub(r.held.Load().at) >= keysStaleness {
		return Key{}, errors.New("the keys are stale")
	}
	return r.known(kid)
}

func (r *RemoteKeys) known(kid string) (Key, error) {
	return r.held.Load().keys.Key(context.Background(), kid)
}

// refresh starts a fetch unless one was started within the gap; what it returns is ready when the
// fetch that is under way, if any, has ended.
func (r *RemoteKeys) refresh() <-chan singleflight.Result {
	return r.one.DoChan("", func() (any, error) {
		if !r.gap.AllowN(r.now(), 1) {
			return nil, nil
		}
		return nil, r.fetch(r.life)
	})
}

func (r *RemoteKeys) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	asked := r.now()
	res, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the issuer answered %d", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err != nil {
		return err
	}
	keys, err := ParseKeySet(b)
	if err != nil {
		return err
	}
	r.held.Store(&fetched{keys, asked})
	return nil
}
