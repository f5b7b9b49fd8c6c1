package demo

import (
	"fmt"
	"io"
	"strings"
)

// records are what the whois service knows beside its own services.
var records = map[string]string{
	"sockmux": "name:     sockmux\r\nwhat:     real TCP sockets for programs in a web page\r\nhow:      every emulated socket is a stream in one WebSocket\r\nlicence:  MIT\r\n",
	"webr":    "name:     webR\r\nwhat:     R compiled to WebAssembly\r\nsockets:  socketConnection(), url(), download.file()\r\n",
	"tcp":     "name:     Transmission Control Protocol\r\nsource:   RFC 9293\r\nend:      FIN ends one direction, RST both\r\n",
	"whois":   "name:     WHOIS\r\nsource:   RFC 3912\r\nhow:      one line with a question, then the answer, then the end\r\n",
}

// serveWhois reads one line, answers it and ends (RFC 3912).
func serveWhois(d *Demo, c *client) {
	question, err := c.line()
	if err != nil {
		return
	}
	answer, known := records[strings.ToLower(question)]
	switch {
	case known:
	case strings.EqualFold(question, "services"):
		var list strings.Builder
		for _, service := range d.services {
			fmt.Fprintf(&list, "%-18s %5d  %s\r\n", service.Name, service.Port, service.Description)
		}
		answer = list.String()
	default:
		answer = fmt.Sprintf("No match for %q. Try sockmux, webr, tcp, whois or services.\r\n", question)
	}
	_, _ = io.WriteString(c, answer)
}
