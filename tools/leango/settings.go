package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
)

// read is an expression that reads a setting, and its value.
type read struct {
	node  ast.Node
	value string
}

// setting returns the value of debug.NAME, if n is that and the changes fix NAME.
func (c changes) setting(n ast.Node) (value string, fixed bool) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if x, ok := s.X.(*ast.Ident); !ok || x.Name != "debug" {
		return "", false
	}
	value, fixed = c.settings[s.Sel.Name]
	return value, fixed
}

// reads finds where a function reads settings: debug.NAME, or debug.NAME.Load() of an atomic one.
// Assignments, addresses and the other methods stay: they change a variable that nothing reads.
func (c changes) reads(body ast.Node) []read {
	var found []read
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if _, ok := c.setting(left); !ok {
					ast.Inspect(left, visit)
				}
			}
			for _, right := range n.Rhs {
				ast.Inspect(right, visit)
			}
			return false
		case *ast.UnaryExpr:
			if _, ok := c.setting(n.X); ok && n.Op == token.AND {
				return false
			}
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			value, ok := c.setting(method.X)
			if !ok {
				break
			}
			if method.Sel.Name == "Load" {
				found = append(found, read{n, value})
			}
			for _, argument := range n.Args {
				ast.Inspect(argument, visit)
			}
			return false
		case *ast.SelectorExpr:
			if value, ok := c.setting(n); ok {
				found = append(found, read{n, value})
				return false
			}
		}
		return true
	}
	ast.Inspect(body, visit)
	return found
}

// checkDefaults returns an error if this file gives a fixed setting a default of its own: a number
// at the start of parseRuntimeDebugVars, or def in the list of settings.
func (c changes) checkDefaults(file *ast.File) error {
	var err error
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name != "parseRuntimeDebugVars" {
				break
			}
			for _, statement := range n.Body.List {
				assign, ok := statement.(*ast.AssignStmt)
				if !ok {
					continue
				}
				_, fixed := c.setting(assign.Lhs[0])
				if _, number := assign.Rhs[0].(*ast.BasicLit); fixed && number {
					err = fmt.Errorf("a default of %s is not the value in cuts", assign.Lhs[0].(*ast.SelectorExpr).Sel.Name)
				}
			}
		case *ast.CompositeLit:
			name, def := "", false
			for _, element := range n.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				key, _ := pair.Key.(*ast.Ident)
				text, _ := pair.Value.(*ast.BasicLit)
				switch {
				case key == nil || text == nil:
				case key.Name == "name":
					name, _ = strconv.Unquote(text.Value)
				case key.Name == "def":
					def = text.Value != "0"
				}
			}
			if _, fixed := c.settings[name]; fixed && def {
				err = fmt.Errorf("a default of %s is not the value in cuts", name)
			}
		}
		return true
	})
	return err
}
