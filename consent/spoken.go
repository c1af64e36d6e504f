// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// spoken is a length of time as a notice says it. Months and years have no exact length: it is from least to most.
type spoken struct {
	words       string
	least, most time.Duration
}

// means reports whether a length may be called so.
func (s spoken) means(d time.Duration) bool { return s.least <= d && d <= s.most }

// unitWords are the units of time in the languages in which lengths are read, Arabic without its marks. What is not here is not read, and so not held
// against anything.
var unitWords = map[string][]string{
	"second": strings.Fields(`second seconds sekunde sekunden seconde secondes segundo segundos secondo secondi seconden 秒 秒钟 ثانية ثوان ثواني`),
	"minute": strings.Fields(`minute minutes minuten minuto minutos minuti minuut 分钟 دقيقة دقائق`),
	"hour":   strings.Fields(`hour hours stunde stunden heure heures hora horas ora ore uur uren 小时 ساعة ساعات`),
	"day":    strings.Fields(`day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen 天 日 يوم يوما ايام`),
	"week":   strings.Fields(`week weeks woche wochen semaine semaines semana semanas settimana settimane weken 周 星期 اسبوع اسابيع`),
	"month":  strings.Fields(`month months monat monate monaten mois mes meses mês mese mesi maand maanden 个月 شهر شهرا اشهر شهور`),
	"year":   strings.Fields(`year years jahr jahre jahren an ans année années año años ano anos anno anni jaar jaren 年 سنة سنوات عام عاما اعوام`),
}

// unitsByWord is the same by word.
var unitsByWord = func() map[string]string {
	out := map[string]string{}
	for unit, words := range unitWords {
		for _, w := range words {
			out[w] = unit
		}
	}
	return out
}()

// twoOf are units that Arabic counts to two by themselves.
var twoOf = map[string]string{"يومان": "day", "يومين": "day", "اسبوعان": "week", "اسبوعين": "week", "شهران": "month", "شهرين": "month", "سنتان": "year", "سنتين": "year",
	"عامان": "year", "عامين": "year", "ساعتان": "hour", "ساعتين": "hour", "دقيقتان": "minute", "دقيقتين": "minute"}

// numberWords are the small numbers that notices write out, in the same languages.
var numberWords = func() map[string]float64 {
	out := map[string]float64{}
	for n, words := range map[float64]string{
		0.5: `half 半`, 1: `one ein eine einen einem un une una uno um uma een 一 واحد واحدة`, 2: `two zwei deux dos due twee dois duas 二 两`,
		3: `three drei trois tres três tre drie 三 ثلاث ثلاثة`, 4: `four vier quatre cuatro quattro quatro 四 اربع اربعة`, 5: `five fünf cinq cinco cinque vijf 五 خمس خمسة`,
		6: `six sechs seis sei zes 六 ست ستة`, 7: `seven sieben sept siete sette zeven sete 七 سبع سبعة`, 8: `eight acht huit ocho otto oito 八 ثمان ثماني ثمانية`,
		9: `nine neun neuf nueve nove negen 九 تسع تسعة`, 10: `ten zehn dix diez dieci tien dez 十 عشر عشرة`, 12: `twelve zwölf douze doce dodici twaalf doze 十二`,
		18: `eighteen achtzehn 十八`, 24: `二十四`, 30: `thirty dreißig dreissig trente treinta trenta dertig trinta 三十 ثلاثون ثلاثين`,
		60: `sixty sechzig soixante sesenta sessanta zestig sessenta 六十 ستون ستين`, 90: `ninety neunzig 九十 تسعون تسعين`,
	} {
		for _, w := range strings.Fields(words) {
			out[w] = n
		}
	}
	return out
}()

var (
	tokens    = regexp.MustCompile(`\p{Han}+|\d+(?:[.,]\d+)?|[^\P{L}\p{Han}]+`)
	thousands = regexp.MustCompile(`^\d{1,3}[.,]\d{3}$`)
	hanUnit   = regexp.MustCompile(`^(秒钟|秒|分钟|小时|天|日|周|星期|个月|年)`)
	hanLength = regexp.MustCompile(`^(半|[一二两三四五六七八九十]*)个?(秒钟|秒|分钟|小时|天|日|周|星期|个月|年)`)
)

// spokenIn are the lengths of time that a text says: a number and then a unit.
func spokenIn(text string) (out []spoken) {
	list := tokens.FindAllString(plainText(text), -1)
	for i, word := range list {
		if unit, ok := twoOf[word]; ok {
			out = append(out, lengthOf(word, 2, unit))
		}
		n, isNumber := numberOf(word)
		if i+1 < len(list) && isNumber {
			if unit := unitOf(list[i+1]); unit != "" {
				out = append(out, lengthOf(word+" "+list[i+1], n, unit))
			}
		}
		if i == 0 || !startsWithDigit(list[i-1]) {
			out = append(out, hanLengths(word)...)
		}
	}
	return out
}

// hanLengths finds numbers and units that Chinese writes without a space, and without digits.
func hanLengths(word string) (out []spoken) {
	for i := range word {
		m := hanLength.FindStringSubmatch(word[i:])
		if m == nil || m[1] == "" || i > 0 && strings.ContainsAny(word[:i][max(0, i-3):], "一二两三四五六七八九十第") {
			continue
		}
		if n, ok := numberWords[m[1]]; ok {
			out = append(out, lengthOf(m[0], n, unitsByWord[m[2]]))
		}
	}
	return out
}

// plainText is a text in small letters, with Arabic's letters in one form, and with digits that are 0 to 9.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsDigit(r) && r > unicode.MaxASCII:
			return digit(r)
		case strings.ContainsRune("أإآٱ", r):
			return 'ا'
		}
		return unicode.ToLower(r)
	}, text)
}

// digit is the value of a decimal digit of any script: in each, the ten stand in a row from a multiple of their block.
func digit(r rune) rune {
	for n := rune(0); n < 10; n++ {
		if !unicode.IsDigit(r - n - 1) {
			return '0' + n
		}
	}
	return r
}

func startsWithDigit(s string) bool { return s[0] >= '0' && s[0] <= '9' }

func numberOf(word string) (float64, bool) {
	if n, ok := numberWords[word]; ok {
		return n, true
	}
	if thousands.MatchString(word) {
		word = strings.NewReplacer(".", "", ",", "").Replace(word)
	}
	n, err := strconv.ParseFloat(strings.Replace(word, ",", ".", 1), 64)
	return n, err == nil && startsWithDigit(word)
}

// unitOf is the unit that a word says, or begins with in Chinese.
func unitOf(word string) string {
	if unit, ok := unitsByWord[word]; ok || word[0] < utf8.RuneSelf {
		return unit
	}
	if m := hanUnit.FindString(word); m != "" {
		return unitsByWord[m]
	}
	return ""
}

func lengthOf(words string, n float64, unit string) spoken {
	exactly := func(d time.Duration) spoken {
		d = time.Duration(n * float64(d))
		return spoken{words, d, d}
	}
	day := float64(days(1))
	switch unit {
	case "second":
		return exactly(time.Second)
	case "minute":
		return exactly(time.Minute)
	case "hour":
		return exactly(time.Hour)
	case "day":
		return exactly(days(1))
	case "week":
		return exactly(days(7))
	case "month":
		return spoken{words, time.Duration((n*30.4 - 2) * day), time.Duration((n*30.5 + 1) * day)}
	}
	return spoken{words, time.Duration((n*365 - 1) * day), time.Duration((n*366 + 1) * day)}
}
