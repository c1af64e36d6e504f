// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A notice is written as a Markdown file, since those who answer for its words are lawyers and
// translators:
//
//	---
//	id: assist
//	version: 1
//	…
//	---
//
//	# The title
//
//	## Who asks {#who covers="controller"}
//
//	The text of the block. An empty line begins another paragraph.
//
//	- [Where to read on](https://authority.example)
//
//	## The answers {#choices}
//
//	- visit: This visit
//
// The name after # says which part of the notice it is; covers, which duties the part fulfils. Comments
// (<!-- … -->, on lines of their own) are left out. The hash is of what is said, not of how the file is laid out.

// noticeSheet is a notice as it was written, with the line of each part.
type noticeSheet struct {
	Notice
	file   string
	lines  map[string]int
	found  []Finding
	unread bool // it is no text, or too much of it: nothing else can be said of it

	part string // the block or list that is being read; blocks by their key
	list map[string]string
}

var (
	headLine = regexp.MustCompile(`^([a-z_]+)\s*:\s*(.*)$`)
	partLine = regexp.MustCompile(`^##\s+(.*?)\s*\{#([a-z_]+)(?:\s+covers="([^"]*)")?\s*\}\s*$`)
	linkLine = regexp.MustCompile(`^-\s*\[([^\]]+)\]\(([^)\s]+)\)$`)
	itemLine = regexp.MustCompile(`^-\s*([a-z_]+)\s*:\s*(.+)$`)
)

// noticeMost is the most that is read of a notice, in bytes.
const noticeMost = 256 << 10

// readSheet reads a notice and hashes it. What cannot be understood is reported with its line.
func readSheet(file, text string) noticeSheet {
	s := noticeSheet{file: file, lines: map[string]int{}}
	s.Notice.file = file
	s.Choices = map[Choice]string{}
	s.Texts = Texts{Indicator: map[string]string{}, Ends: map[Reason]string{}}
	switch {
	case len(text) > noticeMost:
		s.unread = true
		s.report(1, "", fmt.Sprintf("is larger than %d kilobytes", noticeMost>>10), "Take out what is no notice: a long one has ten")
		return s
	case !utf8.ValidString(text):
		s.unread = true
		s.report(1, "", "is not UTF-8 text", "Save it as UTF-8; editors call UTF-16 \"Unicode\"")
		return s
	}
	lines := strings.Split(strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff"), "\n")
	s.body(lines, s.head(lines))
	for i := range s.Blocks {
		s.Blocks[i].Text = strings.TrimSpace(s.Blocks[i].Text)
	}
	var err error
	if s.Hash, err = s.ComputeHash(); err != nil {
		s.report(1, "", err.Error(), "Correct it")
	}
	return s
}

func (s *noticeSheet) report(line int, field, says, remedy string) {
	s.found = append(s.found, Finding{File: s.file, Line: line, Field: field, Says: says, Remedy: remedy})
}

// line is where a part stands; of an entry that is missing, its list; else the beginning of the file.
func (s *noticeSheet) line(part string) int {
	list, _, _ := strings.Cut(part, " ")
	for _, name := range []string{part, list} {
		if n, ok := s.lines[name]; ok {
			return n
		}
	}
	return min(1, len(s.lines))
}

// head reads the lines between the two --- and returns where the body begins.
func (s *noticeSheet) head(lines []string) int {
	from := 1
	if strings.TrimSpace(lines[0]) != "---" {
		s.report(1, "", "does not begin with ---", "Begin with a line ---, then id, version, purpose, lang, dir, jurisdictions, term_days, data and recipients, one a line, then ---")
		if headLine.FindString(strings.TrimSpace(lines[0])) == "" {
			return 0 // there is no head at all
		}
		from = 0
	}
	closed := slices.ContainsFunc(lines[from:], func(text string) bool { return strings.TrimSpace(text) == "---" })
	for i, text := range lines[from:] {
		line := from + i + 1
		text = strings.TrimSpace(text)
		if text == "---" {
			return line
		}
		if !closed && (strings.HasPrefix(text, "# ") || strings.HasPrefix(text, "## ")) {
			s.report(line, "", "the head has no end before this line", "Write --- on a line of its own above it, below the last line of the head")
			return line - 1
		}
		m := headLine.FindStringSubmatch(text)
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case m == nil:
			s.report(line, "", fmt.Sprintf("%q is not name: value", text), "Write it as in the example: version: 1")
		case s.lines[m[1]] > 0:
			s.report(line, m[1], "is there twice", "Keep one of them")
		default:
			s.lines[m[1]] = line
			s.setHead(line, m[1], strings.Trim(m[2], `"`))
		}
	}
	s.report(len(lines), "", "the head has no end", "Write --- on a line of its own before the title")
	return len(lines)
}

func (s *noticeSheet) setHead(line int, name, value string) {
	number := func() int {
		n, err := strconv.Atoi(value)
		if err != nil {
			s.report(line, name, fmt.Sprintf("%q is not a whole number", value), "Write digits only")
		}
		return n
	}
	switch name {
	case "id":
		s.ID = value
	case "version":
		s.Version = number()
	case "purpose":
		s.Purpose = value
	case "lang":
		s.Lang = value
	case "dir":
		s.Dir = value
	case "jurisdictions":
		s.Jurisdictions = listOf(value)
	case "term_days":
		s.TermDays = number()
	case "data":
		s.Data = listOf(value)
	case "recipients":
		s.Recipients = listOf(value)
	default:
		s.report(line, name, "is not a member of a notice: nothing is on by default, and nothing else can be set here",
			"Take it out, or write it as one of: id, version, purpose, lang, dir, jurisdictions, term_days, data, recipients")
	}
}

// listOf reads "a, b, c".
func listOf(value string) []string {
	var out []string
	for _, part := range strings.Split(strings.Trim(value, "[]"), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func (s *noticeSheet) body(lines []string, from int) {
	comment := false
	for i := from; i < len(lines); i++ {
		text := strings.TrimSpace(lines[i])
		if comment || strings.HasPrefix(text, "<!--") {
			comment = !strings.Contains(text, "-->")
			continue
		}
		s.take(i+1, text)
	}
	if comment {
		s.report(len(lines), "", "a comment has no end", "Close it with -->")
	}
}

// take reads one line of the body.
func (s *noticeSheet) take(line int, text string) {
	switch {
	case strings.HasPrefix(text, "## "):
		s.begin(line, text)
	case strings.HasPrefix(text, "# "):
		if s.Title != "" {
			s.report(line, "title", "is there twice", "Keep one line that begins with #")
		}
		s.Title, s.lines["title"] = strings.TrimSpace(text[2:]), line
	case s.list != nil:
		s.item(line, text)
	case s.part != "":
		s.say(text)
	case text != "":
		s.report(line, "", "this text belongs to no part", `Put a heading before it, such as ## Who asks {#who covers="controller"}`)
	}
}

// begin is a heading: of a block, or of one of the three lists.
func (s *noticeSheet) begin(line int, text string) {
	s.part, s.list = "", nil
	m := partLine.FindStringSubmatch(text)
	if m == nil {
		s.report(line, "", fmt.Sprintf("the heading %q does not say which part it is", strings.TrimSpace(text[3:])),
			`End it with the part's name and the duties that it fulfils, such as {#who covers="controller"}`)
		return
	}
	title, key := m[1], m[2]
	if s.lines[key] > 0 && s.named(key) {
		s.report(line, key, "is there twice", "Keep one of them")
	}
	s.lines[key] = line
	switch key {
	case "choices", "indicator", "ends":
		s.part, s.list = key, map[string]string{}
	default:
		s.part = key
		s.Blocks = append(s.Blocks, Block{Key: key, Title: title, Covers: listOf(m[3])})
		for _, id := range listOf(m[3]) {
			if _, ok := dutyOf(id); !ok {
				s.report(line, key, fmt.Sprintf("covers names %q, which is no duty", id), "Use these: "+strings.Join(dutyIDs(), ", "))
			}
		}
	}
}

// named reports whether a part of that name is there.
func (s *noticeSheet) named(key string) bool {
	return slices.ContainsFunc(s.Blocks, func(b Block) bool { return b.Key == key }) || slices.Contains([]string{"choices", "indicator", "ends"}, key)
}

func dutyIDs() []string {
	var ids []string
	for _, d := range duties {
		ids = append(ids, d.id)
	}
	return ids
}

// item is one entry of a list.
func (s *noticeSheet) item(line int, text string) {
	m := itemLine.FindStringSubmatch(text)
	if m == nil {
		if text != "" {
			s.report(line, s.part, fmt.Sprintf("%q is not an entry of this list", text), "Write it as - name: text")
		}
		return
	}
	key, words := m[1], strings.TrimSpace(m[2])
	if _, twice := s.list[key]; twice {
		s.report(line, s.part+" "+key, "is there twice", "Keep one of them")
	}
	s.list[key] = words
	s.lines[s.part+" "+key] = line
	switch s.part {
	case "choices":
		if s.Choices[Choice(key)] = words; !slices.Contains(choices, Choice(key)) {
			s.report(line, s.part+" "+key, "is not one of the answers: there are four, of equal rank, and no other",
				"Write visit, term, no and not_now, each once")
		}
	case "indicator":
		if s.Texts.Indicator[key] = words; !slices.Contains(indicatorKeys, key) {
			s.report(line, s.part+" "+key, "is nothing that the app shows", "Use these: "+strings.Join(indicatorKeys, ", "))
		}
	case "ends":
		if s.Texts.Ends[Reason(key)] = words; !slices.Contains(endReasons, Reason(key)) {
			s.report(line, s.part+" "+key, "is not a way in which tracking ends", "Use those of the example")
		}
	}
}

// say adds a line to the text of the block that is being read.
func (s *noticeSheet) say(text string) {
	b := &s.Blocks[len(s.Blocks)-1]
	if m := linkLine.FindStringSubmatch(text); m != nil {
		b.Links = append(b.Links, Link{Title: m[1], Href: m[2]})
		return
	}
	switch {
	case text == "":
		if b.Text != "" && !strings.HasSuffix(b.Text, "\n\n") {
			b.Text += "\n\n"
		}
	case b.Text == "" || strings.HasSuffix(b.Text, "\n\n") || joined(b.Text, text):
		b.Text += text
	default:
		b.Text += " " + text
	}
}

// joined reports whether two lines of a paragraph belong together without a space, as in Chinese.
func joined(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return wide(last) && wide(first)
}

func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}
