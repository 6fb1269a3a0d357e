package hub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/twinrules/twinrules/hub/twin"
)

// Explain returns a line about a failed request for a person: what happened,
// where, and what to do next. Of an error that is not this package's it returns
// the first line. An error of the credential may have an Explain method of its own.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return clean(firstLine(err.Error()))
	}
	switch {
	case errors.Is(e.outcome, twin.ErrMaybeApplied):
		return fmt.Sprintf("%s may have been applied or not, because no good answer came from %s (%s): read it again before you write again",
			e.what(), e.Host, e.said())
	case e.stage == notSignedIn:
		return fmt.Sprintf("could not sign in, so nothing was sent to %s: %s", e.Host, e.signIn())
	case errors.Is(e.cause, ErrBadAnswer): // also one that was given up before its end
		return fmt.Sprintf("the answer of %s to %s cannot be used (%s): check that the name is a hub's and that nothing between rewrites answers",
			e.Host, e.what(), e.said())
	case e.stage == notSent || e.stage == unanswered:
		return e.unreachable()
	case e.stage == unmade:
		return fmt.Sprintf("%s: %s", e.what(), clean(e.cause.Error()))
	}
	return e.answered()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// signIn returns what the credential has to say about its failure.
func (e *Error) signIn() string {
	var explained interface{ Explain() string }
	if errors.As(e.cause, &explained) {
		return explained.Explain()
	}
	return clean(firstLine(e.cause.Error()))
}

// what names the request, such as "patch twin devices/pump-7".
func (e *Error) what() string {
	if e.Ref == (twin.Ref{}) {
		return e.Op
	}
	return e.Op + " " + e.Ref.String()
}

// unreachable explains why a hub was not reached or did not answer.
func (e *Error) unreachable() string {
	var name *net.DNSError
	switch {
	case errors.As(e.cause, &name):
		return fmt.Sprintf("no address is known for %s: check the name of the hub, and the network's DNS", name.Name)
	case errors.Is(e.cause, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing accepts connections at %s: check host and port, and whether a firewall stands between", e.Host)
	case errors.Is(e.cause, context.Canceled):
		return fmt.Sprintf("%s was stopped before %s answered", e.what(), e.Host)
	case isTimeout(e.cause):
		return fmt.Sprintf("%s did not answer in time: check the network and the proxy, then try again", e.Host)
	}
	if line := e.distrusted(); line != "" {
		return line
	}
	return fmt.Sprintf("the connection to %s broke (%s): try again; if it stays, check the network and the proxy", e.Host, clean(e.cause.Error()))
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// distrusted explains a failed TLS handshake, "" for anything else.
func (e *Error) distrusted() string {
	var unknown x509.UnknownAuthorityError
	var otherName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(e.cause, &unknown):
		return fmt.Sprintf("the certificate of %s is signed by nobody this machine trusts: if a proxy looks into TLS or the hub is an emulator, set SSL_CERT_FILE to its CA", e.Host)
	case errors.As(e.cause, &otherName):
		return fmt.Sprintf("the certificate shown for %s is another host's (%s): check the host, and what answers in its place", e.Host, clean(otherName.Error()))
	case errors.As(e.cause, &invalid):
		return fmt.Sprintf("the certificate of %s is not valid (%s): check this machine's clock, then the certificate", e.Host, clean(invalid.Error()))
	case errors.As(e.cause, &notTLS), errors.Is(e.cause, http.ErrSchemeMismatch):
		return fmt.Sprintf("%s does not speak TLS: check the port", e.Host)
	}
	return ""
}

// answered explains a refusal of the hub.
func (e *Error) answered() string {
	switch {
	case e.Code == "IotHubNotFound":
		return fmt.Sprintf("%s is not the name of a hub: check it", e.Host)
	case e.Code == string(CodeThrottlingMaxActiveJobCountExceeded), e.Code == string(CodeJobQuotaExceeded):
		return fmt.Sprintf("%s runs as many jobs as it can (%s): wait until one is over, or cancel it", e.Host, e.said())
	case e.outcome == twin.ErrDenied:
		return e.denied()
	case e.op == cancelScheduledJob && e.Status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("the job on %s runs or is over (%s): only one that is still waiting can be cancelled", e.Host, e.said())
	case e.outcome == twin.ErrThrottled:
		return fmt.Sprintf("%s is throttled (%s)%s: nothing was done; go slower, or add units to the hub", e.Host, e.said(), e.wait())
	case e.outcome == twin.ErrChanged && e.Status == 409:
		return fmt.Sprintf("%s exists on %s already: plan again", e.subject(), e.Host)
	case e.outcome == twin.ErrChanged:
		return fmt.Sprintf("%s was changed by somebody else on %s: plan again", e.Ref, e.Host)
	case e.outcome == twin.ErrNotFound:
		return fmt.Sprintf("%s is not on %s (%s): it may have been deleted, the hub's query index lags behind", e.subject(), e.Host, e.said())
	case e.Status >= 500 || e.Status == 408:
		return fmt.Sprintf("%s is in trouble (%s): try again later%s", e.Host, e.said(), e.tracking())
	case e.Status >= 300 && e.Status < 400:
		return fmt.Sprintf("%s sends its callers elsewhere (%d), which no hub does: check the host and the proxy; nothing was followed", e.Host, e.Status)
	}
	return fmt.Sprintf("%s refused %s (%s)%s", e.Host, e.what(), e.said(), e.tracking())
}

func (e *Error) subject() string {
	if e.Ref == (twin.Ref{}) {
		return "what " + e.Op + " asked for"
	}
	return e.Ref.String()
}

func (e *Error) wait() string {
	if e.retryAfter == 0 {
		return ""
	}
	return fmt.Sprintf(", wait %s", e.retryAfter)
}

func (e *Error) tracking() string {
	if e.TrackingID == "" {
		return ""
	}
	return "; tracking id for support: " + e.TrackingID
}

// denied explains a 401 or 403. A missing role is a 401 with that hub, and told
// from a token that it does not take by the code alone.
func (e *Error) denied() string {
	_, principal, _ := strings.Cut(e.Message, "Principal ")
	principal, _, ok := strings.Cut(principal, " is not authorized")
	switch {
	case e.shared && e.Status == 401:
		return fmt.Sprintf("%s refused the shared access key (%s): check that it is the policy's present one and that the policy may %s; shared access may be turned off on the hub", e.Host, e.said(), e.Op)
	case e.Code == "IotHubUnauthorized" || ok:
		if principal == "" {
			principal = "you"
		}
		return fmt.Sprintf("signed in, but %s may not %s on %s: assign the role %q on the hub, or one with %s (Owner and Contributor don't grant data access; a new assignment can take minutes)",
			principal, e.Op, e.Host, e.op.role, e.op.action)
	case e.Status == 401 && (e.op == invokeCommand || e.op == invokeComponentCommand):
		return fmt.Sprintf("%s refused the command (%s): hubs were seen to take commands from nobody who signs in with Microsoft Entra, whatever the role; invoke the method of that name instead, component*command for one of a component", e.Host, e.said())
	case e.Status == 401:
		return fmt.Sprintf("%s refused the token (%s): check tenant and cloud, the audience, and this machine's clock", e.Host, e.said())
	case e.Code == "IotHubQuotaExceeded":
		return fmt.Sprintf("%s has used up its messages for today (%s): wait for midnight UTC, or add units to the hub", e.Host, e.said())
	}
	return fmt.Sprintf("%s does not let %s through (%s): check its IP filter, its tier, and whether it is suspended", e.Host, e.Op, e.said())
}
