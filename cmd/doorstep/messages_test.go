// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// call is one way to go wrong, and all that the program says about it: each line in full, without the
// program's name in front.
type call struct {
	args string // split at spaces, '' an empty argument
	in   string
	env  string
	says []string
	exit int
}

// serving begins most calls of serve: everything that it needs.
const serving = "serve --data d --map shop.geojson --dev-key new.key --listen 127.0.0.1:0 --admin-listen= "

// messages are what a stranger may mistype, flag by flag.
var messages = map[string][]call{
	"commands": {
		{args: "", exit: 2, says: []string{`expected one of "demo", "serve", "store", "walk", "token", ... (see doorstep --help)`}},
		{args: "dance", exit: 2, says: []string{"unexpected argument dance (see doorstep --help)"}},
		{args: "store dance", exit: 2, says: []string{"unexpected argument dance (see doorstep store --help)"}},
		{args: "serve --listne x", exit: 2, says: []string{`unknown flag --listne, did you mean "--listen"? (see doorstep serve --help)`}},
		{args: "walk", exit: 2, says: []string{"missing flags: --map=STRING, --url=STRING (see doorstep walk --help)"}},
		{args: "scan", exit: 2, says: []string{"DOORSTEP_SCAN_URL is not set: it names the Redis to look into"}},
	},
	"settings file": {
		{args: serving + "--config none.json", exit: 2, says: []string{"--config none.json: no such file or directory: name a JSON file of settings (see doorstep serve --help)"}},
		{args: serving + "--config folder", exit: 2, says: []string{"--config folder: this is a folder: name a JSON file of settings (see doorstep serve --help)"}},
		{args: serving + "--config ''", exit: 2, says: []string{"--config: empty: name a JSON file of settings, or leave it out (see doorstep serve --help)"}},
		{args: serving + "--config broken.json", exit: 2, says: []string{"--config broken.json:2:10: broken JSON: invalid character '8' looking for beginning of object key string: mend the file there (see doorstep serve --help)"}},
		{args: serving + "--config cut.json", exit: 2, says: []string{"--config cut.json:2:1: broken JSON: unexpected end of JSON input: mend the file there (see doorstep serve --help)"}},
		{args: serving + "--config empty.json", exit: 2, says: []string{"--config empty.json:1:1: broken JSON: unexpected end of JSON input: mend the file there (see doorstep serve --help)"}},
		{args: serving + "--config list.json", exit: 2, says: []string{`--config list.json:1:1: not an object: write {"listen": "127.0.0.1:8080"}, and the like (see doorstep serve --help)`}},
		{args: serving + "--config unknown.json", exit: 2, says: []string{
			`--config unknown.json:2:3: "lisen" is not a setting: did you mean "listen"?`,
			`--config unknown.json:3:3: "colour" is not a setting: the settings are the flags' names without the hyphens in front`,
			`--config unknown.json:4:3: "config" is not a setting: the settings are the flags' names without the hyphens in front (see doorstep serve --help)`}},
		{args: serving + "--config types.json", exit: 2, says: []string{
			`--config types.json:1:2: "listen" is the number 8080, and must be a text in quotes, such as "127.0.0.1:8080"`,
			`--config types.json:1:18: "issuer" is null, and must be a text in quotes`,
			`--config types.json:1:34: "map" holds true, and must be a text or a list of texts, such as ["one", "two"]`,
			`--config types.json:1:54: "log-level" is "loud", and must be one of debug, info, warn, error (see doorstep serve --help)`}},
		{args: serving + "--config twice.json", exit: 2, says: []string{`--config twice.json:1:22: "publicURL" is set twice: keep one (see doorstep serve --help)`}},
	},
	"environment": {
		{args: "store replay --map none", env: "DOORSTEP_REDISS=secret", exit: 1, says: []string{
			"warning: DOORSTEP_REDISS is set and is not a setting: did you mean DOORSTEP_REDIS?",
			"--map: map none: no such file or directory: give a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "store replay --map none", env: "DOORSTEP_PORT=8080", exit: 1, says: []string{
			"warning: DOORSTEP_PORT is set and is not a setting: doorstep serve --help lists the settings",
			"--map: map none: no such file or directory: give a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "store replay --map none", env: "DOORSTEP_PORT=tcp://10.0.0.1:80 DOORSTEP_SERVICE_HOST=10.0.0.1 DOORSTEP_DATA=x", exit: 1, says: []string{
			"--map: map none: no such file or directory: give a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "token shopper --sub a", env: "DOORSTEP_TTL=15", exit: 2, says: []string{
			`--ttl: "15" is not a length of time: write it as 90s, 15m or 8h (from envar DOORSTEP_TTL="15") (see doorstep token shopper --help)`}},
		{args: "token shopper --sub a", env: "DOORSTEP_CONFIG=none.json DOORSTEP_DEV_KEY=", exit: 2, says: []string{ // another command's file
			"no development key is configured: give --dev-key FILE, the one that `doorstep serve --dev-key FILE` made. A real deployment has none, and its tokens come from the retailer's backend"}},
		{args: "token shopper --sub ''", env: "DOORSTEP_VERSION=7", exit: 2, says: []string{ // set by many a deployment, and no order to print ours
			"warning: DOORSTEP_VERSION is set and is not a setting: doorstep serve --help lists the settings",
			"--sub: empty: a token without it would be refused"}},
		{args: serving, env: "DOORSTEP_CONFIG=none.json", exit: 2, says: []string{"--config none.json: no such file or directory: name a JSON file of settings (see doorstep serve --help)"}},
	},
	"serve addresses": {
		{args: serving + "--listen nonsense", exit: 2, says: []string{`--listen "nonsense": not host:port with a port up to 65535: try 127.0.0.1:8080`}},
		{args: serving + "--listen 127.0.0.1:99999", exit: 2, says: []string{`--listen "127.0.0.1:99999": not host:port with a port up to 65535: try 127.0.0.1:8080`}},
		{args: serving + "--listen ''", exit: 2, says: []string{`--listen "": not host:port with a port up to 65535: try 127.0.0.1:8080`}},
		{args: serving + "--listen 192.0.2.1:8080", exit: 2, says: []string{"--listen 192.0.2.1:8080 is reachable from elsewhere: set --public-url to the https address that your proxy serves, or listen on 127.0.0.1"}},
		{args: serving + "--admin-listen nonsense", exit: 2, says: []string{`--admin-listen "nonsense": not host:port with a port up to 65535: try 127.0.0.1:8080`}},
		{args: serving + "--public-url http://shop.example", exit: 2, says: []string{`--public-url "http://shop.example": must be https://host without a path, such as https://doorstep.example`}},
		{args: serving + "--public-url https://shop.example/x", exit: 2, says: []string{`--public-url "https://shop.example/x": must be https://host without a path, such as https://doorstep.example`}},
		{args: serving + "--origin shop.example", exit: 2, says: []string{`--origin "shop.example": not an http or https origin. Give exact origins, such as https://shop.example or http://127.0.0.1:8080.`}},
		{args: serving + "--proxy 10.0.0.1", exit: 2, says: []string{"--proxy 10.0.0.1: an address, not a network: write 10.0.0.1/32 for that one"}},
		{args: serving + "--proxy office", exit: 2, says: []string{`--proxy "office": not a network: write it as 10.0.0.0/8 or fd00::/8`}},
		{args: serving + "--redis localhost:6379", exit: 2, says: []string{"--redis: not a URL of Redis: write rediss://user:password@host:port, or redis:// on this machine"}},
		{args: serving + "--suspend often", exit: 2, says: []string{`--suspend "often": must be attempts in an hour and a length of time, such as 100/24h`}},
		{args: serving + "--suspend 0/24h", exit: 2, says: []string{`--suspend "0/24h": must be attempts in an hour and a length of time, such as 100/24h`}},
		{args: serving + "--suspend 100", exit: 2, says: []string{`--suspend "100": must be attempts in an hour and a length of time, such as 100/24h`}},
		{args: serving + "--log-level loud", exit: 2, says: []string{`--log-level must be one of "debug","info","warn","error" but got "loud" (see doorstep serve --help)`}},
	},
	"serve places": {
		{args: serving + "--data ''", exit: 2, says: []string{"--data: empty: name the folder of the ledger and its keys"}},
		{args: "serve --data d --dev-key new.key", exit: 2, says: []string{"no store: name a map with --map, or import one with `doorstep store import`"}},
		{args: "serve --data d --dev-key new.key --map none", exit: 1, says: []string{"--map: map none: no such file or directory: give a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "serve --data d --dev-key new.key --map shop.geojson --map shop.geojson", exit: 1, says: []string{`--map shop.geojson and --map shop.geojson are both store "shop": give one a store_id of its own`}},
		{args: serving + "--dev-key dev.key --log-level error --data list.json", exit: 1, says: []string{"--data list.json: not a directory: name a folder that can be written"}},
		{args: serving + "--dev-key dev.key --log-level error --data garbage", exit: 1, says: []string{"--data garbage: consent keys: garbage/keys.json can be read by others (-rw-r--r--): chmod 600 it"}},
		{args: serving + "--registry none", exit: 1, says: []string{"--registry none: no such file or directory: name a folder with registry.json and notices/*.md in it; `doorstep registry init` writes an example"}},
		{args: serving + "--registry list.json", exit: 1, says: []string{"--registry list.json: this is a file: name a folder with registry.json and notices/*.md in it; `doorstep registry init` writes an example"}},
		{args: serving + "--registry folder", exit: 1, says: []string{"--registry folder: registry.json: no such file or directory: name a folder with registry.json and notices/*.md in it; `doorstep registry init` writes an example"}},
		{args: serving + "--registry badregistry", exit: 1, says: []string{"--registry badregistry: notices: there is no notice (GDPR 13; PIPL 17). Write one for each purpose and language, as notices/*.md.",
			"registry.json:2: not JSON: invalid character '5' after object key. Correct it there; a comma too many or too few, or a missing quotation mark, is the usual cause."}},
	},
	"serve database": {
		{args: serving + "--database mysql://me:secret@db/ledger", exit: 2, says: []string{"--database: no driver for mysql: give the path of a SQLite file, or postgres://user@host/database"}},
		{args: serving + "--database postgres://me:sec/ret@db/ledger", exit: 2, says: []string{
			"--database: not an address of PostgreSQL: write postgres://user:password@host:port/database, with %XX for whatever is neither letter nor digit in the password, or leave the password to PGPASSWORD or a passfile"}},
		{args: serving + "--database postgres://me:secret@db.example/ledger", exit: 2, says: []string{
			"--database: the connection to db.example would be encrypted or not, as whoever stands in between likes: add sslmode=verify-full to the address, or sslmode=disable where nobody can stand in between"}},
		{args: "store import --database postgres://me:sec/ret@db/ledger shop.geojson", exit: 2, says: []string{
			"--database: not an address of PostgreSQL: write postgres://user:password@host:port/database, with %XX for whatever is neither letter nor digit in the password, or leave the password to PGPASSWORD or a passfile"}},
		{args: serving, env: "DOORSTEP_DATABASE=mysql://db", exit: 2, says: []string{"--database: no driver for mysql: give the path of a SQLite file, or postgres://user@host/database"}},
	},
	"serve sign-in": {
		{args: "serve --data d --map shop.geojson", exit: 2, says: []string{"nobody could sign in: set --issuer and --jwks to those of your identity provider, or --dev-key FILE to try it"}},
		{args: "serve --data d --map shop.geojson --dev-key ''", exit: 2, says: []string{"nobody could sign in: set --issuer and --jwks to those of your identity provider, or --dev-key FILE to try it"}},
		{args: "serve --data d --map shop.geojson --issuer https://id.example --jwks jwks.json", exit: 2, says: []string{
			"the development notices name nobody whom a shopper could hold to them: write your own registry and name it with --registry, or give --dev-key FILE to try without real shoppers"}},
		{args: "serve --data d --map shop.geojson --staff-issuer https://id.example --staff-jwks jwks.json --registry REGISTRY", exit: 2, says: []string{
			"--registry " + exampleRegistry + ": says for_trying_only: make it your own, list your stores with their impact assessments, and take that out; or give --dev-key FILE to try it",
			"no shopper could sign in: set --issuer and --jwks to those of your shoppers' identity provider"}},
		{args: serving + "--issuer https://id.example --jwks jwks.json --staff-issuer https://id.example --staff-jwks jwks.json", exit: 2, says: []string{
			"--staff-issuer https://id.example is the --issuer: leave --staff-issuer and --staff-jwks out, that issuer may mint for staff too"}},
		{args: serving + "--issuer https://id.example", exit: 2, says: []string{"--issuer without its keys: set --issuer with --jwks, a JWKS file or its https:// address"}},
		{args: serving + "--staff-jwks jwks.json", exit: 2, says: []string{"--staff-jwks without whose keys they are: set --staff-issuer with --staff-jwks, the exact iss of the tokens"}},
		{args: serving + "--issuer i --jwks none", exit: 1, says: []string{"--jwks none: no such file or directory: give a JWKS file, or the https:// address of one (your identity provider's jwks_uri)"}},
		{args: serving + "--issuer i --jwks folder", exit: 1, says: []string{"--jwks folder: this is a folder: give a JWKS file, or the https:// address of one (your identity provider's jwks_uri)"}},
		{args: serving + "--issuer i --jwks list.json", exit: 1, says: []string{`--jwks list.json: the key set is not a JWKS; expected {"keys":[…]}`}},
		{args: serving + "--issuer i --jwks http://id.example/keys", exit: 2, says: []string{"--jwks http://id.example/keys: not https. Fetch keys over https; plain http is for loopback only."}},
		{args: serving + "--issuer i --jwks https://me:secret@id.example/keys", exit: 2, says: []string{
			"--jwks https://me:xxxxx@id.example/keys: not an address. Give the issuer's jwks_uri, such as https://login.example/jwks.json."}},
		{args: serving + "--issuer i --jwks http://127.0.0.1:1/keys", exit: 1, says: []string{
			"--jwks http://127.0.0.1:1/keys: dial tcp 127.0.0.1:1: connect: connection refused: give a JWKS file, or the https:// address of one (your identity provider's jwks_uri)"}},
		{args: serving + "--dev-key folder", exit: 1, says: []string{"--dev-key folder: this is a folder: name the file of the key"}},
		{args: serving + "--dev-key none/new.key", exit: 1, says: []string{"--dev-key none/new.key: no such file or directory: name a file in a folder that is there; the key will be made"}},
		{args: serving + "--dev-key list.json", exit: 1, says: []string{"--dev-key list.json: development key: mode -rw-r--r-- lets others read it; chmod 600 it, or remove it to have a new one"}},
	},
	"token": {
		{args: "token shopper", exit: 2, says: []string{"missing flags: --sub=STRING (see doorstep token shopper --help)"}},
		{args: "token shopper --sub '' --dev-key dev.key", exit: 2, says: []string{"--sub: empty: a token without it would be refused"}},
		{args: "token shopper --sub a --app '' --dev-key dev.key", exit: 2, says: []string{"--app: empty: a token without it would be refused"}},
		{args: "token shopper --sub a --age old --dev-key dev.key", exit: 2, says: []string{`--age must be one of "adult","minor","" but got "old" (see doorstep token shopper --help)`}},
		{args: "token shopper --sub a --ttl 99h --dev-key dev.key", exit: 2, says: []string{
			"--ttl 99h: choose from 1s to 15m, the server takes no other: an app asks for a fresh one often, so that a stolen one soon ends"}},
		{args: "token shopper --sub a --ttl -1m --dev-key dev.key", exit: 2, says: []string{
			"--ttl -1m: choose from 1s to 15m, the server takes no other: an app asks for a fresh one often, so that a stolen one soon ends"}},
		{args: "token shopper --sub a --ttl soon", exit: 2, says: []string{`--ttl: "soon" is not a length of time: write it as 90s, 15m or 8h (see doorstep token shopper --help)`}},
		{args: "token shopper --sub a --dev-key none", exit: 1, says: []string{"--dev-key none: no such file: start `doorstep serve --dev-key` with it first"}},
		{args: "token staff --shift a --store '' --tag '' --dev-key dev.key", exit: 2, says: []string{
			"--tag: empty: a token without it would be refused", "--store: empty: a token without it would be refused"}},
		{args: "token staff --shift a --store s --ttl 24h --dev-key dev.key", exit: 2, says: []string{"--ttl 24h: choose from 1s to 12h, the server takes no other: a token is for one shift"}},
		{args: "token staff --shift a --store s --role boss", exit: 2, says: []string{`--role must be one of "floor","lead","admin" but got "boss" (see doorstep token staff --help)`}},
		{args: "token admin --sub a --ttl 2h --dev-key dev.key", exit: 2, says: []string{"--ttl 2h: choose from 1s to 1h, the server takes no other: an operator may do much"}},
	},
	"store locate": {
		{args: "store locate", exit: 2, says: []string{"missing flags: --map=STRING (see doorstep store locate --help)"}},
		{args: "store locate --map ''", exit: 2, says: []string{"--map: empty: name a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "store locate --map shop.geojson --level first", exit: 2, says: []string{`--level: "first" is not a whole number (see doorstep store locate --help)`}},
		{args: "store locate --map shop.geojson --level -1", exit: 2, says: []string{"--level -1: map shop.geojson has no level -1: it has 0"}},
		{args: "store locate --map shop.geojson", exit: 1, says: []string{"standard input: empty: the first line is lat,lng"}},
		{args: "store locate --map shop.geojson", in: "54,3\n", exit: 1, says: []string{"standard input, line 1: the header names no lat or no lng: start with the line lat,lng, separated by commas"}},
		{args: "store locate --map shop.geojson", in: "lat;lng\n54;3\n", exit: 1, says: []string{"standard input, line 1: the header names no lat or no lng: start with the line lat,lng, separated by commas"}},
		{args: "store locate --map shop.geojson", in: "latitude,lng\n", exit: 1, says: []string{"standard input, line 1: there is no column lat: rename latitude to lat"}},
		{args: "store locate --map shop.geojson", in: "lat,lon\n", exit: 1, says: []string{"standard input, line 1: there is no column lng: rename lon to lng"}},
		{args: "store locate --map shop.geojson", in: "\ufeffLAT ,Name,Lng\n 53.9997,x,3.0001\n"}, // as spreadsheets write it: no mistake
		{args: "store locate --map shop.geojson", in: "lat,lng,lat\n", exit: 1, says: []string{"standard input, line 1: two columns are called lat: rename one"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n54,3\n120.1,30.2\n", exit: 1, says: []string{"standard input, line 3: lat 120.1 is not from -90 to 90, but lng 30.2 is: they seem to be swapped"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n95,120\n", exit: 1, says: []string{"standard input, line 2: lat 95 is not a number from -90 to 90"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\nNaN,120\n", exit: 1, says: []string{"standard input, line 2: lat NaN is not a number from -90 to 90"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n54,181\n", exit: 1, says: []string{"standard input, line 2: lng 181 is not a number from -180 to 180"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n54,east\n", exit: 1, says: []string{`standard input, line 2: lng "east" is not a number from -180 to 180`}},
		{args: "store locate --map shop.geojson", in: "name,lat,lng\nx,54\n", exit: 1, says: []string{"standard input, line 2: too short: the header has lat and lng among its first 3 columns, this line has 2"}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n\"54,3\n", exit: 1, says: []string{`standard input, line 2, column 7: not CSV: extraneous or missing " in quoted-field`}},
	},
	"store locate rows": {
		{args: "store locate --map shop.geojson", in: " \nlat,lng\n   \n\n54,3\n\t\n"}, // blank lines are passed over
		{args: "store locate --map shop.geojson", in: "lat,lng\n \n54,east\n", exit: 1, says: []string{`standard input, line 3: lng "east" is not a number from -180 to 180`}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n0x1p3,3\n", exit: 1, says: []string{`standard input, line 2: lat "0x1p3" is not a number from -90 to 90`}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n54,0x_1p3\n", exit: 1, says: []string{`standard input, line 2: lng "0x_1p3" is not a number from -180 to 180`}},
		{args: "store locate --map shop.geojson", in: "lat,lng\n1_0,3\n", exit: 1, says: []string{`standard input, line 2: lat "1_0" is not a number from -90 to 90`}},
		{args: "store locate --map shop.geojson", in: "lat,lng,name\n54,3," + strings.Repeat("x", longestLine-6) + "\n"}, // as long as may be
		{args: "store locate --map shop.geojson", in: "lat,lng,name\n54,3,x\n54,3," + strings.Repeat("x", longestLine) + "\n", exit: 1, says: []string{
			"standard input, line 3: longer than 65536 bytes: write one place a line, and close every quote"}},
		{args: "store locate --map shop.geojson", in: "lat,lng,name\n54,3,\"x\n" + strings.Repeat("54,3,y\n", longestLine/6), exit: 1, says: []string{
			"standard input, line 2: longer than 65536 bytes: write one place a line, and close every quote"}},
	},
	"store replay": {
		{args: "store replay --map shop.geojson --accuracy 0", exit: 2, says: []string{"--accuracy 0: choose metres above 0, 1000 at most"}},
		{args: "store replay --map shop.geojson --accuracy -3", exit: 2, says: []string{"--accuracy -3: choose metres above 0, 1000 at most"}},
		{args: "store replay --map shop.geojson --accuracy NaN", exit: 2, says: []string{"--accuracy NaN: choose metres above 0, 1000 at most"}},
		{args: "store replay --map shop.geojson --accuracy good", exit: 2, says: []string{`--accuracy: "good" is not a number (see doorstep store replay --help)`}},
		{args: "store replay --map shop.geojson", in: "{\"t\":1,\"lat\":54,\"lng\":3}\n\n{\"t\":1,\"lat\":\"54\",\"lng\":3}\n", exit: 1, says: []string{"standard input, line 3: lat must be a number of degrees, not a string"}},
		{args: "store replay --map shop.geojson", in: `{"t":"1","lat":54,"lng":3}`, exit: 1, says: []string{"standard input, line 1: t must be a number of Unix milliseconds, not a string"}},
		{args: "store replay --map shop.geojson", in: "{\"t\":1,\"lat\":54,\"lng\":3}\n{\"t\":1700000000000000000,\"lat\":54,\"lng\":3}\n", exit: 1, says: []string{
			"standard input, line 2: t 1.7e+18 is no date, which ends at 8640000000000000: write Unix milliseconds"}},
		{args: "store replay --map shop.geojson", in: `{"t":-9223372036854775808,"lat":54,"lng":3}`, exit: 1, says: []string{
			"standard input, line 1: t -9.223372036854776e+18 is no date, which ends at 8640000000000000: write Unix milliseconds"}},
		{args: "store replay --map shop.geojson", in: `{"t":1,"lat":54,"lng":3,"floor":1.5}`, exit: 1, says: []string{"standard input, line 1: floor must be a whole number or null, not the number 1.5"}},
		{args: "store replay --map shop.geojson", in: `{"t":1,"lat":54,"lng":3,"floor":"B1"}`, exit: 1, says: []string{"standard input, line 1: floor must be a whole number or null, not a string"}},
		{args: "store replay --map shop.geojson", in: `{"t":1,"lat":54,"lon":3}`, exit: 1, says: []string{"standard input, line 1: lng is missing: rename lon to lng"}},
		{args: "store replay --map shop.geojson", in: `{"t":1,"lat":null,"lng":3}`, exit: 1, says: []string{"standard input, line 1: lat is missing: every fix needs t, lat and lng"}},
		{args: "store replay --map shop.geojson", in: `{"lat":54,"lng":3}`, exit: 1, says: []string{"standard input, line 1: t is missing: every fix needs t, lat and lng"}},
		{args: "store replay --map shop.geojson", in: `[{"t":1}]`, exit: 1, says: []string{`standard input, line 1: not a JSON object: write each fix as {"t":…,"lat":…,"lng":…}`}},
		{args: "store replay --map shop.geojson", in: "t,lat,lng\n", exit: 1, says: []string{
			`standard input, line 1: column 2: not JSON: invalid character ',' in literal true (expecting 'r'): write each fix as {"t":…,"lat":…,"lng":…} on a line of its own`}},
		{args: "store replay --map shop.geojson", in: "\n" + strings.Repeat(" ", longestLine), exit: 1, says: []string{"standard input, line 2: longer than 65536 bytes: write one fix a line"}},
		{args: "store replay --map shop.geojson", in: `{"t":1,"lat":53,"lng":3,"accuracy_m":5}`}, // outside, as any walk that leaves
		// What a phone may send is not an error: the rules refuse it, and that is said.
		{args: "store replay --map shop.geojson", in: "{\"t\":1,\"lat\":95,\"lng\":3}\n{\"t\":2,\"lat\":54,\"lng\":181}\n{\"t\":3,\"lat\":54,\"lng\":3,\"accuracy_m\":0}\n{\"t\":4,\"lat\":54,\"lng\":3,\"accuracy_m\":-1}\n", says: []string{
			"fixes refused, by reason: accuracy 2 (line 3 first), range 2 (line 1 first: lat or lng is no place on earth)"}},
	},
	"walk": {
		{args: walking + "--url ftp://x", exit: 2, says: []string{`--url "ftp://x": must be http://host:port or https://host without a path, as the server printed it`}},
		{args: walking + "--url 127.0.0.1:8080", exit: 2, says: []string{`--url "127.0.0.1:8080": must be http://host:port or https://host without a path, as the server printed it`}},
		{args: walking + "--url http://127.0.0.1:1/v1", exit: 2, says: []string{`--url "http://127.0.0.1:1/v1": must be http://host:port or https://host without a path, as the server printed it`}},
		{args: walking + "--url http://127.0.0.1:1", exit: 1, says: []string{
			"--url http://127.0.0.1:1: cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused: start `doorstep serve`, or give the address that it printed"}},
		{args: walking + "--url http://127.0.0.1:1 --speed 0", exit: 2, says: []string{"--speed 0: choose from 0.1 to 60"}},
		{args: walking + "--url http://127.0.0.1:1 --speed -1", exit: 2, says: []string{"--speed -1: choose from 0.1 to 60"}},
		{args: walking + "--url http://127.0.0.1:1 --speed NaN", exit: 2, says: []string{"--speed NaN: choose from 0.1 to 60"}},
		{args: walking + "--url http://127.0.0.1:1 --speed fast", exit: 2, says: []string{`--speed: "fast" is not a number (see doorstep walk --help)`}},
		{args: walking + "--url http://127.0.0.1:1 --noise -1", exit: 2, says: []string{"--noise -1: choose metres from 0 to 100"}},
		{args: walking + "--url http://127.0.0.1:1 --seed -1", exit: 2, says: []string{`--seed: "-1" is not a whole number from 0 (see doorstep walk --help)`}},
		{args: walking + "--url http://127.0.0.1:1 --purpose ''", exit: 2, says: []string{"--purpose: empty: name a purpose that the server's registry declares, such as assist"}},
		{args: walking + "--url http://127.0.0.1:1 --sub ''", exit: 2, says: []string{"--sub: empty: a token without it would be refused"}},
		{args: walking + "--url http://127.0.0.1:1 --trace folder", exit: 1, says: []string{"--trace folder: this is a folder: name a recorded walk: NDJSON, a fix a line, or GPX"}},
		{args: walking + "--url http://127.0.0.1:1 --trace none", exit: 1, says: []string{"--trace none: no such file or directory: name a recorded walk: NDJSON, a fix a line, or GPX"}},
		{args: walking + "--url http://127.0.0.1:1 --trace short.ndjson", exit: 1, says: []string{"--trace short.ndjson: 1 fixes: a walk has two or more"}},
		{args: walking + "--url http://127.0.0.1:1 --trace swapped.ndjson", exit: 1, says: []string{"--trace swapped.ndjson, line 2: lat 120 is not from -90 to 90, but lng 54 is: they seem to be swapped"}},
		{args: walking + "--url http://127.0.0.1:1 --trace list.json", exit: 1, says: []string{`--trace list.json, line 1: not a JSON object: write each fix as {"t":…,"lat":…,"lng":…}`}},
		{args: walking + "--url http://127.0.0.1:1 --map none", exit: 1, says: []string{"--map: map none: no such file or directory: give a GeoJSON file, an IMDF archive or a folder of levels"}},
		{args: "walk --map shop.geojson --trace walk.ndjson --url http://127.0.0.1:1", exit: 2, says: []string{
			"no development key is configured: give --dev-key FILE, the one that `doorstep serve --dev-key FILE` made. A real deployment has none, and its tokens come from the retailer's backend"}},
	},
}

const walking = "walk --map shop.geojson --dev-key dev.key --trace walk.ndjson "

// exampleRegistry is the one that comes with the program.
var exampleRegistry = filepath.Join("..", "..", "consent", "devregistry")

// fixtures lie in the folder where the calls are made.
var fixtures = map[string]string{
	"broken.json":               "{\"listen\":\n \"map\" , 8080}",
	"cut.json":                  "{\"listen\": \"x\"\n",
	"empty.json":                "",
	"list.json":                 "[]\n",
	"unknown.json":              "{\n  \"lisen\": \"x\",\n  \"colour\": 1,\n  \"config\": \"list.json\"}",
	"types.json":                `{"listen": 8080, "issuer": null, "map": ["a", true], "log-level": "loud"}`,
	"twice.json":                `{"public_url": "x",  "publicURL": "y"}`,
	"badregistry/registry.json": "{\n \"controller\" 5}",
	"garbage/keys.json":         "{",
	"folder/readme.txt":         "",
	"shop.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","id":"b","properties":{"kind":"boundary","floor":0},
		"geometry":{"type":"Polygon","coordinates":[[[3,53.9996],[3.0002,53.9996],[3.0002,53.9998],[3,53.9998],[3,53.9996]]]}}]}`,
	"walk.ndjson":    "{\"t\":0,\"lat\":53.9997190,\"lng\":3.0000214}\n{\"t\":1000,\"lat\":53.9997191,\"lng\":3.0000214}\n",
	"short.ndjson":   "{\"t\":0,\"lat\":53.9997190,\"lng\":3.0000214}\n",
	"swapped.ndjson": "{\"t\":0,\"lat\":54,\"lng\":3}\n{\"t\":1000,\"lat\":120,\"lng\":54}\n",
}

// Every mistake is answered with one line that names the flag or the place, the value and what to do;
// with the exit status 2 for a wrong call and 1 for something named that is missing or unfit; and
// nothing is left behind on the disk.
func TestMessages(t *testing.T) {
	registry, err := filepath.Abs(exampleRegistry)
	if err != nil {
		t.Fatal(err)
	}
	layOut(t)
	before := everyFile(t)
	for name, calls := range messages {
		t.Run(name, func(t *testing.T) {
			for _, c := range calls {
				for _, v := range strings.Fields(c.env) {
					k, v, _ := strings.Cut(v, "=")
					t.Setenv(k, v)
				}
				args := strings.Fields(strings.ReplaceAll(c.args, "REGISTRY", registry))
				for i := range args {
					args[i] = strings.ReplaceAll(args[i], "''", "")
				}
				_, errs, status := command(t, c.in, args...)
				var want strings.Builder
				for _, line := range c.says {
					want.WriteString("doorstep: " + strings.ReplaceAll(line, exampleRegistry, registry) + "\n")
				}
				if errs != want.String() || status != c.exit {
					t.Errorf("doorstep %s\n exit status %d, want %d\n says  %s\n want  %s", c.args, status, c.exit, errs, want.String())
				}
				for _, v := range strings.Fields(c.env) {
					k, _, _ := strings.Cut(v, "=")
					os.Unsetenv(k) // put back as it was by Setenv when the test ends
				}
			}
		})
	}
	if after := everyFile(t); !slices.Equal(before, after) {
		t.Errorf("the calls left something on the disk:\nbefore %v\nafter  %v", before, after)
	}
}

// layOut makes a folder with the fixtures and a development key, and goes there.
func layOut(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range fixtures {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chmod(name, 0o644)); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	saveDevKey(t, "dev.key")
	saveJWKS(t, "jwks.json")
}

func everyFile(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A setting is taken from the flag, else from the environment, else from the file, else it has its
// default; and the file may spell it in three ways.
func TestPrecedence(t *testing.T) {
	layOut(t)
	listen := func(args ...string) string {
		_, errs, _ := command(t, "", append([]string{"serve", "--dev-key", "new.key"}, args...)...)
		_, rest, _ := strings.Cut(errs, "--listen ")
		value, _, _ := strings.Cut(rest, ":")
		return value
	}
	for _, key := range []string{"listen", "admin-listen", "admin_listen", "adminListen", "AdminListen"} {
		flag := "--listen"
		if key != "listen" {
			flag = "--admin-listen"
		}
		if err := os.WriteFile("settings.json", []byte(`{"`+key+`": "file"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, errs, _ := command(t, "", "serve", "--config", "settings.json"); !strings.Contains(errs, flag+` "file"`) {
			t.Errorf("%s in a file was not read: %s", key, errs)
		}
	}
	if err := os.WriteFile("settings.json", []byte("\n{\"listen\": \"file\", \"map\": [\"one.geojson\"], \"origin\": \"o\"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := listen("--config", "settings.json"); got != `"file"` {
		t.Errorf("the file's value was not taken: %s", got)
	}
	if _, errs, _ := command(t, "", "serve", "--config", "settings.json"); !strings.Contains(errs, "--map: map one.geojson") || !strings.Contains(errs, `--origin "o"`) {
		t.Errorf("lists in a file were not read: %s", errs)
	}
	t.Setenv("DOORSTEP_LISTEN", "environment")
	if got := listen("--config", "settings.json"); got != `"environment"` {
		t.Errorf("the environment does not come before the file: %s", got)
	}
	if got := listen("--config", "settings.json", "--listen", "flag"); got != `"flag"` {
		t.Errorf("the flag does not come before the environment: %s", got)
	}
	t.Setenv("DOORSTEP_CONFIG", "settings.json")
	if _, errs, _ := command(t, "", "serve"); !strings.Contains(errs, "--map: map one.geojson") {
		t.Errorf("a file that the environment names was not read: %s", errs)
	}
}

// What a settings file can hold are texts and lists of texts: every setting must be one of them.
func TestSettingsAreTexts(t *testing.T) {
	for f := range reflect.TypeFor[serveCmd]().Fields() {
		if k := f.Type; k.Kind() != reflect.String && k != reflect.TypeFor[[]string]() {
			t.Errorf("%s is a %v", f.Name, k)
		}
	}
}

// A path may begin at home, wherever it is named.
func TestHome(t *testing.T) {
	layOut(t)
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	if err := os.WriteFile("settings.json", []byte(`{"map": ["~/one.geojson"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--map=~/one.geojson"}, {"--config=~/settings.json"}} {
		_, errs, _ := command(t, "", append([]string{"serve"}, args...)...)
		if !strings.Contains(errs, "map "+filepath.Join(home, "one.geojson")+": no such file") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}

// Another server than ours is told from none.
func TestWalkToAnotherServer(t *testing.T) {
	layOut(t)
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	_, errs, status := command(t, "", "walk", "--map", "shop.geojson", "--dev-key", "dev.key", "--trace", "walk.ndjson", "--url", other.URL)
	if want := "doorstep: --url " + other.URL + ": what answers there is not Doorstep (HTTP 404): give the address that `doorstep serve` printed\n"; errs != want || status != 1 {
		t.Errorf("exit status %d: %s", status, errs)
	}
}
