package session_test

import (
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/link"
)

// newcomer makes a session.Newcomer of any carrier.
type newcomer struct{ link.Carrier }

func (newcomer) Admit(*budget.Account) {}
func (newcomer) Dismiss()              {}
