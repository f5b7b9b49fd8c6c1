package posix

import "github.com/sockmux/sockmux/shared/wire"

// errno is an error number of Emscripten's C library; 0: none. Those that streams end with are
// in package wire.
type errno = int32

const (
	eDestAddrReq    errno = 17
	eMsgSize        errno = 35
	eNoBufs         errno = 42
	ePerm           errno = 63
	eProtoNoSupport errno = 66
	eSockTNoSupport errno = 137
	eOpNotSupp      errno = wire.ENOTSUP // Linux has one number for both
	eEndedBridge    errno = wire.ECONNABORTED
)

// Types of sockets and what may be added to them, as Linux and musl number them.
const (
	typeStream    = 1
	typeDatagram  = 2
	typeRaw       = 3
	typeSeqpacket = 5
	typeMask      = 0xf
	typeNonblock  = 0o4000
	typeCloexec   = 0o2000000
)

// Protocols (IANA).
const (
	protocolIP   = 0
	protocolTCP  = 6
	protocolUDP  = 17
	protocolIPv6 = 41
)

// Flags of send and recv.
const (
	flagOOB       = 0x1
	flagPeek      = 0x2
	flagDontRoute = 0x4
	flagTrunc     = 0x20
	flagDontWait  = 0x40
	flagEOR       = 0x80
	flagWaitAll   = 0x100
	flagConfirm   = 0x800
	flagNoSignal  = 0x4000
	flagMore      = 0x8000
	flagCloexec   = 0x40000000

	sendFlags = flagDontRoute | flagDontWait | flagEOR | flagConfirm | flagNoSignal | flagMore
	recvFlags = flagPeek | flagTrunc | flagDontWait | flagWaitAll | flagNoSignal | flagCloexec | flagDontRoute
)

// Values of shutdown.
const (
	shutRead  = 0
	shutWrite = 1
	shutBoth  = 2
)

// errnoOf returns the error number for a code.
func errnoOf(code wire.Code) errno { return errno(code.Errno()) }
