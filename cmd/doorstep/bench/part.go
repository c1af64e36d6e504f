// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

// A Part is a process of its own: what is measured must not share a processor's account, a collector or a table of
// file descriptors with what measures. It is asked things over its standard input, an order a line, and answers each
// with a line; when its input ends, so does it.
type Part struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

type order struct {
	Do   string          `json:"do"`
	With json.RawMessage `json:"with,omitempty"`
}

type answer struct {
	Error string          `json:"error,omitempty"`
	With  json.RawMessage `json:"with,omitempty"`
}

// StartPart starts a command that calls Serve. What it says on its standard error is the caller's.
func StartPart(cmd *exec.Cmd) (*Part, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a part of the measurement: %w", err)
	}
	return &Part{cmd: cmd, in: in, out: json.NewDecoder(out)}, nil
}

// PID is the process.
func (p *Part) PID() int { return p.cmd.Process.Pid }

// Ask has something done, and waits for it. with and result may be nil.
func (p *Part) Ask(do string, with, result any) error {
	o := order{Do: do}
	if with != nil {
		var err error
		if o.With, err = json.Marshal(with); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(p.in).Encode(o); err != nil {
		return fmt.Errorf("ask a part to %s: %w", do, err)
	}
	var a answer
	if err := p.out.Decode(&a); err != nil {
		return fmt.Errorf("a part ended while it was asked to %s: %w", do, err)
	}
	if a.Error != "" {
		return fmt.Errorf("%s: %s", do, a.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(a.With, result)
}

// Close ends it, and waits until it has.
func (p *Part) Close() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}

// Orders are what a part can be asked for, by name.
type Orders map[string]func(with json.RawMessage) (any, error)

// Serve answers orders until in ends.
func (o Orders) Serve(in io.Reader, out io.Writer) error {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked order
		if err := orders.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := answers.Encode(o.answer(asked)); err != nil {
			return err
		}
	}
}

func (o Orders) answer(asked order) answer {
	do := o[asked.Do]
	if do == nil {
		return answer{Error: "no such order"}
	}
	result, err := do(asked.With)
	if err != nil {
		return answer{Error: err.Error()}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{With: raw}
}

// Profile writes a heap profile to a file, or begins one of the processor.
func Profile(raw json.RawMessage) (any, error) { return decoded(profile)(raw) }

type toProfile struct {
	File string `json:"file"`
	Kind string `json:"kind"` // heap, cpu or, to end one of cpu, done
}

func profile(p toProfile) (any, error) {
	if p.Kind == "done" {
		pprof.StopCPUProfile()
		return nil, nil
	}
	f, err := os.Create(p.File)
	if err != nil {
		return nil, err
	}
	if p.Kind == "cpu" {
		return nil, pprof.StartCPUProfile(f) // the profiler writes to it until it is stopped
	}
	return nil, errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// weight is what a part holds, in bytes.
type weight struct {
	all    int64 // as the kernel sees it
	Heap   int64 `json:"heap"` // in use
	Stacks int64 `json:"stacks"`
}

// Tidy gives back to the system what is not in use, so that what is left is needed: several times, as a server's
// collector comes several times a minute, since a stack that has become too large shrinks by half at a time.
func Tidy(json.RawMessage) (any, error) {
	for range 4 {
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return weight{Heap: int64(m.HeapInuse), Stacks: int64(m.StackInuse)}, nil
}
