package rules

import (
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// grammars lends out expr's settings for the expressions of one file. To make one
// takes longer than to compile a short expression, and none may be used by two
// goroutines at once, because expr keeps what it knows of types in it.
type grammars struct{ ofSelectors, ofOthers sync.Pool }

// with calls use with the settings for a kind of expression.
func (g *grammars) with(kind expressionKind, use func(*conf.Config) error) error {
	free := &g.ofOthers
	if kind == selection {
		free = &g.ofSelectors
	}
	c, _ := free.Get().(*conf.Config)
	if c == nil {
		c = grammar(kind)
	}
	defer free.Put(c)
	return use(c)
}

// grammar returns expr's settings with our functions and operators.
func grammar(kind expressionKind) *conf.Config {
	c := conf.CreateNew()
	c.WithEnv(map[string]any{})
	c.Strict = false // names are checked by the rewriter
	c.Optimize = false
	c.DisableIfOperator = true
	for _, f := range builtin.Builtins {
		c.Disabled[f.Name] = true
	}
	for name := range c.Disabled {
		delete(c.Builtins, name)
	}
	for _, op := range operators(kind == selection) {
		expr.Function(op.name, op.call)(c)
	}
	return c
}
