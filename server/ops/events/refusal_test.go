package events_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// A refusal has a reason of few words, and the limit that was reached.
func TestRefusalOf(t *testing.T) {
	for _, test := range []struct {
		stage  events.Stage
		err    error
		reason string
		limit  limit.Reason
		code   wire.Code
	}{
		{events.StageSession, limit.Refuse(limit.Sessions, "full"), "sessions", limit.Sessions, wire.Limit},
		{events.StageStream, fmt.Errorf("opening: %w", limit.Refuse(limit.Opens, "too fast")), "opens_per_second", limit.Opens, wire.Limit},
		{events.StageSession, wire.NewError(wire.Unauthorized, ""), "unauthorized", limit.Unauthorized, wire.Unauthorized},
		{events.StageSession, wire.NewError(wire.Expired, ""), "expired", limit.Expired, wire.Expired},
		{events.StageSession, wire.NewError(wire.Internal, ""), "credentials_unchecked", limit.Unchecked, wire.Internal},
		{events.StageSession, wire.NewError(wire.Draining, ""), "draining", "", wire.Draining},
		{events.StageStream, wire.NewError(wire.Draining, ""), "draining", "", wire.Draining},
	} {
		r, ok := events.RefusalOf(test.stage, test.err)
		if !ok || r.Stage != test.stage || r.Reason != test.reason || r.Limit != test.limit || r.Code != test.code || r.Err != test.err {
			t.Errorf("%v: %+v, %t", test.err, r, ok)
		}
	}
	if r, ok := events.RefusalOf(events.StageSession, errors.New("connection lost")); ok {
		t.Errorf("a lost connection: %+v", r)
	}
}

// Every refusal is in one event, and no other event is one.
func TestRefusingOf(t *testing.T) {
	request := wire.Request{Kind: wire.TCP, Host: wire.ParseHost("db.test"), Port: 5432}
	refusal := events.Refusal{Stage: events.StageStream, Reason: "denied"}
	who := events.Client{Session: "0102"}
	for _, test := range []struct {
		event  events.Event
		target string
		ok     bool
	}{
		{events.UpgradeRefused{Client: who, Refusal: refusal}, "", true},
		{events.Refused{Subject: events.NewSession, Client: who, Refusal: refusal}, "", true},
		{events.Refused{Subject: events.NewStream, Client: who, Request: request, Refusal: refusal}, "db.test:5432", true},
		{events.StreamAnswered{Client: who, Request: request, Refusal: &refusal}, "db.test:5432", true},
		{events.StreamAnswered{Client: who, Request: request, Code: wire.Refused}, "", false},
		{events.HandshakeFailed{Client: who}, "", false},
		{events.SessionEnded{Client: who}, "", false},
		{events.StreamEnded{Client: who, Code: wire.Denied}, "", false},
	} {
		r, ok := events.RefusingOf(test.event)
		if ok != test.ok || ok && (r.Client != who || r.Target != test.target || r.Refusal != refusal) {
			t.Errorf("%T: %+v, %t", test.event, r, ok)
		}
	}
}

// Sinks are told in turn, and no sink at all is a sink.
func TestSinks(t *testing.T) {
	var order []string
	events.Sinks{named{"a", &order}, named{"b", &order}}.Record(events.StreamOpened{})
	events.Sinks(nil).Record(events.StreamOpened{})
	if fmt.Sprint(order) != "[a b]" {
		t.Errorf("order %v", order)
	}
}

type named struct {
	name string
	to   *[]string
}

func (n named) Record(events.Event) { *n.to = append(*n.to, n.name) }
