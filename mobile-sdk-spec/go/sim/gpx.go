// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"
)

// gpxPoint is a point of a track in GPX 1.1 (topografix.com/GPX/1/1). GPX knows neither levels nor accuracies: those of
// ours are in the point's extensions, and hdop is not one, since no radius follows from it.
type gpxPoint struct {
	Lat        string     `xml:"lat,attr"`
	Lng        string     `xml:"lon,attr"`
	Time       string     `xml:"time"`
	Extensions *extension `xml:"extensions"`
}

type extension struct {
	Floor     *int     `xml:"https://doorstep.invalid/gpx floor"`
	AccuracyM *float64 `xml:"https://doorstep.invalid/gpx accuracy_m"`
}

// readGPX gives each point of every track, in order, to line. A point without a time cannot be walked.
func readGPX(r io.Reader, line func(*recorded) error) error {
	d := xml.NewDecoder(r)
	for n := 0; ; {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: not GPX: %w", ErrTrace, err)
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "trkpt" {
			continue
		}
		var p gpxPoint
		if err := d.DecodeElement(&p, &start); err != nil {
			return fmt.Errorf("%w: not GPX: %w", ErrTrace, err)
		}
		n++
		x, err := p.recorded()
		if err != nil || n > traceLines {
			return fmt.Errorf("%w: point %d is not a place with a time, or one too many", ErrTrace, n)
		}
		if err := line(x); err != nil {
			return err
		}
	}
}

func (p gpxPoint) recorded() (*recorded, error) {
	lat, err := strconv.ParseFloat(p.Lat, 64)
	if err != nil {
		return nil, err
	}
	lng, err := strconv.ParseFloat(p.Lng, 64)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, p.Time)
	if err != nil {
		return nil, err
	}
	t := at.UnixMilli()
	x := &recorded{T: &t, Lat: &lat, Lng: &lng}
	if p.Extensions != nil {
		x.Floor, x.AccuracyM = p.Extensions.Floor, p.Extensions.AccuracyM
	}
	if !x.good() {
		return nil, ErrTrace
	}
	return x, nil
}

// GPX writes tracks, a point at a time. The zero value is not one: see NewGPX.
type GPX struct {
	w    io.Writer
	open bool
}

// NewGPX begins a file.
func NewGPX(w io.Writer) (*GPX, error) {
	_, err := io.WriteString(w, xml.Header+`<gpx version="1.1" creator="doorstep" xmlns="http://www.topografix.com/GPX/1/1" xmlns:d="https://doorstep.invalid/gpx">`+"\n")
	return &GPX{w: w}, err
}

// Track begins the next track.
func (g *GPX) Track(name string) error {
	if err := g.end(); err != nil {
		return err
	}
	g.open = true
	if _, err := io.WriteString(g.w, "<trk><name>"); err != nil {
		return err
	}
	if err := xml.EscapeText(g.w, []byte(name)); err != nil {
		return err
	}
	_, err := io.WriteString(g.w, "</name><trkseg>\n")
	return err
}

func (g *GPX) end() error {
	if !g.open {
		return nil
	}
	g.open = false
	_, err := io.WriteString(g.w, "</trkseg></trk>\n")
	return err
}

// Fix writes a point.
func (g *GPX) Fix(f Fix) error {
	floor := ""
	if f.HasLevel {
		floor = fmt.Sprintf("<d:floor>%d</d:floor>", f.Level)
	}
	_, err := fmt.Fprintf(g.w, `<trkpt lat="%.8f" lon="%.8f"><time>%s</time><extensions>%s<d:accuracy_m>%.2f</d:accuracy_m></extensions></trkpt>`+"\n",
		f.Lat, f.Lng, time.UnixMilli(f.T).UTC().Format("2006-01-02T15:04:05.000Z"), floor, f.AccuracyM)
	return err
}

// Close ends the file; the writer stays open.
func (g *GPX) Close() error {
	if err := g.end(); err != nil {
		return err
	}
	_, err := io.WriteString(g.w, "</gpx>\n")
	return err
}
