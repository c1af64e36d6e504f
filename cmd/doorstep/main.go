// SPDX-License-Identifier: Apache-2.0

// Command doorstep is the server a retailer runs so that a shopper who asks to be helped in a store
// can be found there, and nobody else. It is thin: one file per command, and the wiring in stack.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the whole command line.
type cli struct {
	Demo        demoCmd        `cmd:"" help:"Try it: a store, shoppers and staff, everything embedded, on one free port."`
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Store       storeCmd       `cmd:"" help:"Check, import and try out maps."`
	Walk        walkCmd        `cmd:"" help:"One phone replaying a recorded walk against a server."`
	Token       tokenCmd       `cmd:"" help:"Mint a token for trying; needs a development key."`
	Rules       rulesCmd       `cmd:"" help:"Check, try out and set a store's own rules about alerts."`
	Cards       cardsCmd       `cmd:"" help:"Check and set a store's context cards: texts, pictures, languages, hours."`
	Bookings    bookingsCmd    `cmd:"" help:"Tell a running server of appointments and pickups."`
	Webhooks    webhooksCmd    `cmd:"" help:"Look at what the world outside could not be told, and tell it again."`
	Registry    registryCmd    `cmd:"" help:"Write, check and print the registry: purposes, data types, notices."`
	Keys        keysCmd        `cmd:"" help:"Look at the keys that sign receipts, and rotate them."`
	Proof       proofCmd       `cmd:"" help:"Read the proof of consent of somebody who was erased; needs the key that is kept apart."`
	Ledger      ledgerCmd      `cmd:"" help:"Sign checkpoints of the log of consent events, and check all of it."`
	Receipt     receiptCmd     `cmd:"" help:"Check a receipt as a shopper would, and say what it proves."`
	Scan        scanCmd        `cmd:"" hidden:"" help:"Count what the live state still holds of ended visits (used by demo)."`
	Incident    incidentCmd    `cmd:"" help:"Say whose data were within reach in a span of time."`
	Bench       benchCmd       `cmd:"" help:"Measure the server beside an echo on this machine."`
	Simulate    simulateCmd    `cmd:"" help:"Write down seeded walks on a map, as phones would report them: NDJSON or GPX."`
	Conformance conformanceCmd `cmd:"" help:"Play the server's part to an SDK under test, and judge it by the specification's rules."`
	BenchPart   benchPartCmd   `cmd:"" hidden:"" help:"A process of a measurement (used by bench)."`

	Version kong.VersionFlag `env:"-" help:"Print the version and exit."`
}

// streams are what a command reads and writes; tests hand in their own.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a mistake in how a command was called or set up: exit status 2, like kong's own. What
// is rightly named and turns out to be missing or unfit is an ordinary error.
type usageError struct{ error }

// wrong is a usageError in words.
func wrong(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(status)
}

// run is the program: 0 if all went well, 1 if the command failed, 2 if it was called wrongly. An
// error is said once, on err.
func run(ctx context.Context, args []string, s streams) int {
	noCoreDumps()
	var c cli
	exited := -1
	number := kong.MapperFunc(mapNumber)
	parser, err := kong.New(&c, kong.Name("doorstep"),
		kong.Description("Found in the store when you asked to be; gone when you leave, withdraw or fall silent."),
		kong.Vars{"version": version()}, kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code }),
		kong.DefaultEnvars(envPrefix), kong.NamedMapper("path", kong.MapperFunc(mapPath)),
		kong.TypeMapper(durationType, kong.MapperFunc(mapDuration)), kong.KindMapper(reflect.Int, number),
		kong.KindMapper(reflect.Uint64, number), kong.KindMapper(reflect.Float64, number), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		complain(s.err, err)
		return 2
	}
	parsed, err := parser.Parse(joinNegatives(args))
	if exited >= 0 {
		return exited
	}
	if err != nil {
		complain(s.err, fmt.Errorf("%w (see %s --help)", err, called(err)))
		return 2
	}
	if parsed.Command() != "scan" {
		warnUnknown(s.err, os.Environ(), parser.Model.Node)
	}
	if err := parsed.Run(); err != nil {
		complain(s.err, err)
		if _, usage := errors.AsType[usageError](err); usage {
			return 2
		}
		return 1
	}
	return 0
}

// complain says an error; one that lists several mistakes has a line for each.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "doorstep:", strings.TrimSuffix(line, "\n"))
	}
}

// called is the command that could not be parsed, as far as it was understood.
func called(err error) string {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil || parse.Context.Selected() == nil {
		return "doorstep"
	}
	return parse.Context.Selected().FullPath()
}

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(devel)"
}
