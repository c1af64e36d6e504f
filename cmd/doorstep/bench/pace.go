// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// pacers is how many goroutines send. More of them than processors send no better.
const pacers = 2

// A sender sends its next frame. It reports whether it did: one that is gone does not.
type sender interface{ send(now time.Time) bool }

// pace has all of them send at a rate, evenly over each second, until the time is over; it returns how many frames went
// out. The first of them are sent at random phases: in turn, one after another.
func pace[S sender](ctx context.Context, all []S, hz float64, d time.Duration) int64 {
	var sent [pacers]int64
	var group sync.WaitGroup
	start := time.Now()
	for k := range pacers {
		var mine []S
		for i := k; i < len(all); i += pacers {
			mine = append(mine, all[i])
		}
		if len(mine) == 0 {
			continue
		}
		group.Go(func() { sent[k] = paceSome(ctx, mine, hz*float64(len(mine)), start, d) })
	}
	group.Wait()
	total := int64(0)
	for _, n := range sent {
		total += n
	}
	return total
}

// paceSome sends hz frames a second, by one sender after another. What comes due while it sleeps is made up for.
func paceSome[S sender](ctx context.Context, all []S, hz float64, start time.Time, d time.Duration) (sent int64) {
	for done := 0; ; {
		now := time.Now()
		if now.Sub(start) >= d || ctx.Err() != nil {
			return sent
		}
		for due := int(now.Sub(start).Seconds() * hz); done < due; done++ {
			if all[done%len(all)].send(time.Now()) {
				sent++
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// from dials from a loopback address of its own.
func from(a, b byte) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, a, b)}}
}

// asFrom is the i-th home's way to ask over HTTP.
func asFrom(i int) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4, DialContext: from(1, byte(1+i)).DialContext}}
}

// sockets opens the i-th WebSocket, from one of the homes. Buffers are small and those for writing shared: there are thousands.
func sockets(i int, protocols ...string) *websocket.Dialer {
	return &websocket.Dialer{NetDialContext: from(1, byte(2+i%homes)).DialContext, Subprotocols: protocols, HandshakeTimeout: 20 * time.Second,
		ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &writes}
}

var writes sync.Pool
