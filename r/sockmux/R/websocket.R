# A WebSocket that the sockmux server dials, with the methods and events of the package websocket.

websocket_states <- c("Pre-connecting", "Connecting", "Open", "Closing", "Closed") # -1 to 3

# The header fields of a handshake: what the handshake gives itself is left out, and a subprotocol that
# stands there is one.
handshake_fields <- function(headers) {
  names <- as.character(names(headers))
  values <- trimws(vapply(headers, function(value) enc2utf8(as.character(value)), ""))
  own <- tolower(names) %in% c("host", "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")
  offered <- tolower(names) == "sec-websocket-protocol"
  given <- nzchar(names) & !own & !offered
  list(
    names = names[given], values = unname(values[given]),
    protocols = trimws(unlist(strsplit(values[offered], ",", fixed = TRUE), use.names = FALSE))
  )
}

check_url <- function(url) {
  if (nchar(url) < 6) stop("Invalid websocket URI: too short", call. = FALSE)
  if (!startsWith(url, "ws://") && !startsWith(url, "wss://")) {
    stop("Invalid websocket URI: must begin with ws:// or wss://", call. = FALSE)
  }
  if (in_webr() && bridge$layered && !call_layer("websockets.valid", url)) {
    stop("Could not create connection because: invalid uri", call. = FALSE)
  }
}

websocket_public <- list(
  initialize = function(url, protocols = character(0), headers = NULL, autoConnect = TRUE,
                        accessLogChannels = c("none"), errorLogChannels = NULL,
                        maxMessageSize = 32 * 1024 * 1024, loop = default_loop()) {
    if (length(maxMessageSize) != 1 || !is.numeric(maxMessageSize) || maxMessageSize < 0) {
      stop("maxMessageSize must be a non-negative integer")
    }
    access <- check_channels("access", accessLogChannels)
    error <- check_channels("error", errorLogChannels)
    check_url(url)
    fields <- handshake_fields(headers)
    if (!all(grepl("^[!#-'*+.0-9A-Z^_`a-z|~-]+$", protocols))) stop("Invalid subprotocol")
    private$url <- url
    private$fields <- fields
    private$protocols <- unique(c(as.character(protocols), fields$protocols))
    private$max_bytes <- maxMessageSize
    private$loop <- loop
    private$access <- set_channels(character(), if (is.null(accessLogChannels)) default_channels else access)
    private$error <- set_channels(character(), error)
    private$callbacks <- list(open = new_callbacks(), message = new_callbacks(), close = new_callbacks(), error = new_callbacks())
    if (autoConnect) self$connect()
  },

  connect = function() {
    if (private$state != -1L) {
      warning("Ignoring extraneous connect() call (did you mean to have autoConnect=FALSE in the constructor?)")
      return(NULL)
    }
    require_layer()
    private$id <- as.integer(call_layer("websockets.open", private$url, list(
      protocols = I(private$protocols), names = I(private$fields$names), values = I(private$fields$values),
      maxBytes = private$max_bytes
    )))
    private$state <- 0L
    # The loop keeps the object for as long as there may be an event.
    join_loop(private$loop, private$id, private$deliver)
    NULL
  },

  readyState = function() structure(private$state, description = websocket_states[private$state + 2L]),
  onOpen = function(callback) invisible(private$callbacks$open$register(callback)),
  onMessage = function(callback) invisible(private$callbacks$message$register(callback)),
  onClose = function(callback) invisible(private$callbacks$close$register(callback)),
  onError = function(callback) invisible(private$callbacks$error$register(callback)),
  protocol = function() private$chosen,

  send = function(msg) {
    if (is.raw(msg)) {
      bytes <- msg
    } else if (is.character(msg) && length(msg) == 1 && !is.na(msg)) {
      bytes <- charToRaw(enc2utf8(msg))
    } else {
      stop("msg must be a one-element character vector or a raw vector.")
    }
    if (private$state != 1L) stop("invalid state")
    send_bytes("websockets.send", private$id, bytes, is.character(msg))
    while (call_layer("websockets.sending", private$id)) check_interrupt()
    NULL
  },

  close = function(code = 1000L, reason = "") {
    if (private$state == 0L) private$close_on_open <- TRUE
    if (private$state != 1L) return(NULL)
    private$state <- 2L
    call_layer("websockets.close", private$id, as.integer(code), reason)
    NULL
  },

  setAccessLogChannels = function(channels = c("all")) {
    private$access <- set_channels(private$access, check_channels("access", channels))
    NULL
  },
  setErrorLogChannels = function(channels = c("all")) {
    private$error <- set_channels(private$error, check_channels("error", channels))
    NULL
  },
  clearAccessLogChannels = function(channels = c("all")) {
    private$access <- clear_channels(private$access, check_channels("access", channels))
    NULL
  },
  clearErrorLogChannels = function(channels = c("all")) {
    private$error <- clear_channels(private$error, check_channels("error", channels))
    NULL
  }
)

websocket_private <- list(
  url = NULL, protocols = NULL, fields = NULL, max_bytes = NULL, loop = NULL, access = NULL, error = NULL,
  callbacks = NULL, id = NULL, state = -1L, chosen = "", close_on_open = FALSE,

  # Called by the loop with each event, in their order.
  deliver = function(event) {
    private[[paste0("deliver_", event$event)]](event)
  },
  deliver_open = function(event) {
    if (private$close_on_open) {
      private$state <- 2L
      call_layer("websockets.close", private$id, 1000L, "")
      return()
    }
    private$state <- 1L
    private$chosen <- event$protocol
    log_line(private$access, "connect", "WebSocket Connection ", private$url)
    private$callbacks$open$invoke(list(target = self))
  },
  deliver_message = function(event) {
    private$callbacks$message$invoke(list(target = self, data = event$data))
  },
  deliver_close = function(event) {
    private$state <- 3L
    log_line(private$access, "disconnect", "Disconnect ", private$url, " ", event$code, " ", event$reason)
    private$callbacks$close$invoke(list(target = self, code = as.integer(event$code), reason = event$reason))
  },
  deliver_error = function(event) {
    private$state <- 3L
    log_line(private$access, "fail", "WebSocket Connection ", private$url, " ", event$message)
    private$callbacks$error$invoke(list(target = self, message = event$message))
  }
)

require_layer <- function() {
  if (!bridge$layered) bridge$layered <- has_layer()
  if (bridge$layered) return()
  stop(if (in_webr()) no_layer else no_webr, call. = FALSE)
}

no_layer <- paste(
  "the script of sockmux is not in this page, or not before webR: put",
  "<script src=\"https://SERVER/sockmux.js\"></script> above the script that starts webR"
)
no_webr <- "WebSockets of this package need R in a page (webR): install the package websocket, which works in this R"
