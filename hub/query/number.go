package query

import (
	"cmp"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// maxBits bounds the numbers that are computed with, so that a hostile 1e999999
// costs nothing. What is larger makes a sum or product undefined; comparing two
// numbers as they are spelled has no bound.
const maxBits = 4096

// rational returns v as a fraction if it is a number of bearable size.
func rational(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case *big.Rat:
		return v, true
	case json.Number:
		if d := parseDecimal(string(v)); d.scale < -1000 || d.scale > 1000 || len(d.digits) > 1000 {
			return nil, false
		}
		return new(big.Rat).SetString(string(v))
	}
	return nil, false
}

// arithmetic returns a number, or Undefined for operands that are none, for a
// division by zero and for results beyond maxBits. Fractions are exact; whether
// the hub computes with floating point is not known.
func arithmetic(op string, a, b any) any {
	x, ok1 := rational(a)
	y, ok2 := rational(b)
	if !ok1 || !ok2 || y.Sign() == 0 && (op == "/" || op == "%") {
		return Undefined{}
	}
	z := compute(op, x, y)
	if z.Num().BitLen() > maxBits || z.Denom().BitLen() > maxBits {
		return Undefined{}
	}
	return z
}

func compute(op string, x, y *big.Rat) *big.Rat {
	z := new(big.Rat)
	switch op {
	case "+":
		return z.Add(x, y)
	case "-":
		return z.Sub(x, y)
	case "*":
		return z.Mul(x, y)
	case "/":
		return z.Quo(x, y)
	case "%": // of the sign of x
		z.Quo(x, y)
		whole := new(big.Int).Quo(z.Num(), z.Denom())
		return z.Sub(x, z.Mul(y, new(big.Rat).SetInt(whole)))
	}
	panic("query: unknown operator " + op)
}

// orderNumbers compares two numbers by value.
func orderNumbers(a, b any) (order int, ok bool) {
	m, ok1 := a.(json.Number)
	n, ok2 := b.(json.Number)
	if ok1 && ok2 {
		return compareSpelled(string(m), string(n)), true
	}
	x, ok1 := rational(a)
	y, ok2 := rational(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	return x.Cmp(y), true
}

// compareSpelled compares two JSON numbers without computing their values.
func compareSpelled(a, b string) int {
	if i, err := strconv.ParseInt(a, 10, 64); err == nil {
		if j, err := strconv.ParseInt(b, 10, 64); err == nil {
			return cmp.Compare(i, j)
		}
	}
	x, y := parseDecimal(a), parseDecimal(b)
	if x.sign != y.sign || x.sign == 0 {
		return cmp.Compare(x.sign, y.sign)
	}
	return x.sign * cmp.Or(cmp.Compare(x.scale, y.scale), strings.Compare(x.digits, y.digits))
}

// A decimal is sign · 0.digits · 10^scale. Its digits neither begin nor end
// with a zero, so that of two with equal sign and scale the digits decide.
type decimal struct {
	sign   int // -1, 0, 1
	digits string
	scale  int64
}

func parseDecimal(s string) decimal {
	s, negative := strings.CutPrefix(s, "-")
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	digits := strings.TrimLeft(all, "0")
	scale := int64(len(whole) - (len(all) - len(digits)))
	if digits = strings.TrimRight(digits, "0"); digits == "" {
		return decimal{}
	}
	d := decimal{sign: 1, digits: digits, scale: scale + parseExponent(exponent)}
	if negative {
		d.sign = -1
	}
	return d
}

// parseExponent reads an exponent. Those that do not fit are taken as ±2^60:
// no twin holds enough digits to make up for the difference.
func parseExponent(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 61)
	if err != nil && s == "" {
		return 0
	}
	return n
}
