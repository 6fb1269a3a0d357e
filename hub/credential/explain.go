package credential

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// hint tells what to do about the errors of Entra that people meet.
func hint(code string) string {
	for _, h := range [][2]string{
		{"7000215", "the client secret is wrong: its value is needed, not its id"},
		{"7000222", "the client secret has expired: make a new one"},
		{"700016", "this tenant knows no such application: check client id and tenant id"},
		{"90002", "there is no such tenant: check the tenant id, and the cloud"},
		{"900023", "the tenant id is neither a GUID nor a domain: check it"},
		{"700027", "the certificate is not registered with the application, or its key is another's"},
		{"700211", "the application trusts no such issuer: add a federated credential for it"},
		{"700212", "the federated token is for another audience: it should be api://AzureADTokenExchange"},
		{"700213", "the application trusts no such subject: a branch, an environment and a pull request each have their own"},
		{"700024", "the federated token has expired or is not valid yet: sign in anew, and check the clock"},
		{"500011", "this tenant does not know IoT Hub: check the cloud"},
		{"53003", "a conditional access policy forbids it: ask who administers the tenant"},
		{"50034", "there is no such account in this tenant: check who is signed in"},
	} {
		if h[0] == code {
			return h[1]
		}
	}
	return ""
}

var codePattern = regexp.MustCompile(`AADSTS(\d+)(: [^"\\\r\n]*)?`)

// Explain returns a line about a failure to sign in for a person, with what to
// do next, and "" for errors it knows nothing about.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	if missing, ok := errors.AsType[*MissingError](err); ok {
		return missing.Error()
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Explain()
	}
	// A chain of credentials keeps no causes, only their words.
	if m := codePattern.FindStringSubmatch(err.Error()); m != nil {
		if h := hint(m[1]); h != "" {
			return "Entra: " + h + " (AADSTS" + m[1] + ")"
		}
		return "Entra: " + clean(m[0])
	}
	return explainRest(err)
}

// explainRest works on words as well: the SDK keeps no cause of a network error.
func explainRest(err error) string {
	text := err.Error()
	_, failed := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if !failed && !strings.Contains(text, "failed to acquire a token") {
		return ""
	}
	for _, h := range [][2]string{
		{"failed to verify certificate", "the certificate of the authority is signed by nobody this machine trusts, or is another host's: if a proxy looks into TLS, set SSL_CERT_FILE to its CA"},
		{"no such host", "no address is known for the authority: check AZURE_AUTHORITY_HOST, and the network's DNS"},
		{"connection refused", "nothing accepts connections at the authority: check AZURE_AUTHORITY_HOST, and whether a firewall stands between"},
		{"failed to acquire a token", "no way to sign in worked: name one as the credential, such as " + ClientSecret.Name},
	} {
		if strings.Contains(text, h[0]) {
			return h[1] + " (" + clean(text) + ")"
		}
	}
	return "could not sign in: " + clean(words(text))
}

var (
	statusPattern = regexp.MustCompile(`(?m)^RESPONSE \d+: (\d+ .*)$`)
	wordsPattern  = regexp.MustCompile(`"(?:message|error_description)": *("(?:[^"\\]|\\.)*")`)
)

// words returns what an answer says for people, when text shows a whole answer,
// as errors of the SDK do over ten lines.
func words(text string) string {
	status, said := statusPattern.FindStringSubmatch(text), wordsPattern.FindStringSubmatch(text)
	if status == nil || said == nil {
		return text
	}
	var message string
	if json.Unmarshal([]byte(said[1]), &message) != nil {
		return text
	}
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(first) + ": " + status[1] + ": " + message
}

// clean makes one short printable line of what somebody else wrote.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	const most = 300
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
