// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// clockSkew is how far this machine's clock may be from the database's. Nodes go by their own, also in telling
// who has gone silent (consent.NodeLife), and must not differ by as much as that.
const clockSkew = 30 * time.Second

// standing is what a PostgreSQL server says of itself and of a connection.
type standing struct {
	replica                 bool
	fsync, commit, encoding string
	backend                 string // its process
	clock                   time.Time
}

// suitable refuses a connection on which an acknowledged write could be lost, or not be what it says. Of several
// hosts in the address, the first that is suitable is taken.
func suitable(ctx context.Context, c *pgconn.PgConn) error {
	asked := time.Now()
	results, err := c.Exec(ctx, `SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('synchronous_commit'),
		current_setting('server_encoding'), pg_backend_pid(), CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`).ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	clock, err := strconv.ParseInt(string(row[5]), 10, 64)
	if err != nil {
		return fmt.Errorf("its clock: %w", err)
	}
	return standing{
		replica: string(row[0]) == "t", fsync: string(row[1]), commit: string(row[2]), encoding: string(row[3]),
		backend: string(row[4]), clock: time.UnixMicro(clock),
	}.judge(strconv.FormatUint(uint64(c.PID()), 10), asked, time.Now())
}

// judge tells what is wrong, if something is. backend is the process that the connection believes to speak to;
// the server was asked between two times of this machine.
func (s standing) judge(backend string, asked, answered time.Time) error {
	switch {
	case s.replica:
		return unsuitable("this server is a replica, which takes no writes: name the primary, or all hosts of the cluster")
	case s.backend != backend:
		// A pooler that shares connections out by the transaction forgets what was set for them, and syncs no commit
		// that the server does not sync by itself.
		return unsuitable("a pooler stands in between: connect to the server itself, of which each process keeps some 20 connections")
	case s.fsync != "on":
		return unsuitable(fmt.Sprintf("the server runs with fsync=%s, so that acknowledged writes are lost with the power: set fsync=on", s.fsync))
	case s.commit != "on" && s.commit != "remote_apply":
		return unsuitable(fmt.Sprintf("synchronous_commit is %s whatever is asked for, so that acknowledged writes can be lost: let it be set to on", s.commit))
	case s.encoding != "UTF8":
		return unsuitable(fmt.Sprintf("the database is encoded in %s, in which not every notice can be written: create it with ENCODING 'UTF8'", s.encoding))
	case s.clock.Before(asked.Add(-clockSkew)), s.clock.After(answered.Add(clockSkew)):
		return unsuitable(fmt.Sprintf("its clock shows %s and this machine's %s: let both follow the same time server",
			s.clock.UTC().Format(time.TimeOnly), answered.UTC().Format(time.TimeOnly)))
	}
	return nil
}
