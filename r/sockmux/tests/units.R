# What needs neither a page nor a network.
ns <- asNamespace("sockmux")
check <- function(...) stopifnot(...)

# Values in JavaScript. No text ends its quotes.
check(identical(ns$as_js("a\"b"), "\"\\u{61}\\u{22}\\u{62}\""), identical(ns$as_js(""), "\"\""))
check(identical(ns$as_js("\u00e4\U1d11e"), "\"\\u{e4}\\u{1d11e}\""))
check(identical(ns$as_js(1e5), "100000"), identical(ns$as_js(33554432), "33554432"), identical(ns$as_js(0.25), "0.25"))
check(identical(ns$as_js(Inf), "Infinity"), identical(ns$as_js(TRUE), "true"))
check(identical(ns$as_js(I(1:3)), "[1, 2, 3]"), identical(ns$as_js(I(character())), "[]"))
check(identical(ns$as_js(list(a = 1, b = I("x"))), "{a: 1, b: [\"\\u{78}\"]}"))

# Header fields: what the handshake gives itself is left out.
fields <- ns$handshake_fields(list(Authorization = " x ", Host = "h", upgrade = "u", `Sec-WebSocket-Protocol` = "a, b", X = 5))
check(identical(fields$names, c("Authorization", "X")), identical(fields$values, c("x", "5")), identical(fields$protocols, c("a", "b")))
none <- ns$handshake_fields(NULL)
check(length(none$names) == 0, length(none$values) == 0, length(none$protocols) == 0)
check(length(ns$handshake_fields("unnamed")$names) == 0)

# Callbacks: an error is a message, and the next one runs.
callbacks <- ns$new_callbacks()
ran <- character()
callbacks$register(function(event) stop("of this callback"))
cancel <- callbacks$register(function(event) ran <<- c(ran, event$data))
said <- character()
withCallingHandlers(callbacks$invoke(list(data = "x")), message = function(m) { said <<- c(said, conditionMessage(m)); invokeRestart("muffleMessage") })
check(identical(ran, "x"), identical(said, "Error in websocket callback: of this callback\n"))
cancel(); cancel()
suppressMessages(callbacks$invoke(list(data = "y")))
check(identical(ran, "x"))

# Channels.
check(identical(ns$set_channels("connect", "all"), c("connect", "all")), identical(ns$set_channels("connect", c("all", "none")), character()))
check(identical(ns$clear_channels(c("connect", "fail"), "fail"), "connect"), identical(ns$clear_channels("connect", "all"), character()))
check(length(capture.output(ns$log_line("all", "connect", "x"))) == 1, length(capture.output(ns$log_line("fail", "connect", "x"))) == 0)

# Objects without R6: members, class, their own state.
Counter <- ns$plain_class("Counter", list(initialize = function(n) private$n <- n, add = function() { private$n <- private$n + 1; private$n }, me = function() self), list(n = 0))
one <- Counter$new(5)
two <- Counter$new(7)
check(identical(class(one), c("Counter", "R6")), one$add() == 6, one$add() == 7, two$add() == 8, identical(one$me(), one))
check(inherits(try(one$add <- 5, silent = TRUE), "try-error"), inherits(try(one$other <- 5, silent = TRUE), "try-error"))
copy <- one$clone()
check(copy$add() == 8, one$add() == 8, identical(copy$me(), copy))

# In this R there is no page.
status <- sockmux::sockmux_status()
check(is.na(status$works), grepl("not webR", format(status)))
check(isTRUE(grepl("port|cannot be reached", format(sockmux::sockmux_check("127.0.0.1", 1, timeout = 1))[1])))
private <- ns$make_class("WebSocket", ns$websocket_public, ns$websocket_private)
check(grepl("webR", try(private$new("ws://a.example/"), silent = TRUE)))
