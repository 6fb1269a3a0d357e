package query

import "strings"

// reserved lists the words that are no plain name, in small letters. That
// "group" is one was found by users, the rest is the grammar's.
var reserved = []string{
	"select", "top", "from", "where", "group", "by", "as",
	"and", "or", "not", "in", "nin", "true", "false", "null", "undefined",
}

// aggregates lists the functions over the twins of a group.
var aggregates = []string{"count", "avg", "sum", "min", "max"}

func isReserved(word string) bool  { return oneOf(reserved, word) }
func isAggregate(word string) bool { return oneOf(aggregates, word) }

func oneOf(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// roots lists the members that a twin's or a job's document has, as it spells
// them. In queries their case does not matter, that of the keys below does.
var roots = []string{
	"deviceId", "moduleId", "etag", "deviceEtag", "version", "status", "statusReason", "statusUpdateTime",
	"connectionState", "lastActivityTime", "cloudToDeviceMessageCount", "authenticationType", "x509Thumbprint",
	"modelId", "capabilities", "deviceScope", "parentScopes", "tags", "properties", "configurations",
	"jobId", "jobType", "startTimeUtc", "endTimeUtc", "createdDateTimeUtc", "lastUpdatedDateTimeUtc", "outcome",
}

// spell returns a root's name as documents have it.
func spell(root string) string {
	for _, known := range roots {
		if strings.EqualFold(known, root) {
			return known
		}
	}
	return root
}

// isName reports whether s is a name that needs no quoting. A hyphen inside is
// one: tags.a-b is a name, subtraction is written with spaces.
func isName(s string) bool {
	if s == "" || !startsName(s[0]) {
		return false
	}
	for i := range len(s) {
		if !continuesName(s[i]) {
			return false
		}
	}
	return true
}

func startsName(c byte) bool {
	return c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func continuesName(c byte) bool { return startsName(c) || c == '-' || isDigit(c) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
