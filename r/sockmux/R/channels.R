# Names of what the original logs. Here `connect`, `disconnect` and `fail` are lines, the others are
# taken and say nothing: frames are the server's.

channel_names <- list(
  access = c(
    "none", "connect", "disconnect", "control", "frame_header", "frame_payload", "message_header",
    "message_payload", "endpoint", "debug_handshake", "debug_close", "devel", "app", "http", "fail",
    "access_core", "all"
  ),
  error = c("none", "devel", "library", "info", "warn", "rerror", "fatal", "all")
)

# The channels that NULL stands for in the constructor.
default_channels <- c("connect", "disconnect", "fail")

check_channels <- function(kind, channels) {
  if (is.null(channels)) return(character())
  match.arg(channels, channel_names[[kind]], several.ok = TRUE)
}

set_channels <- function(present, channels) {
  if ("none" %in% channels) character() else union(present, channels)
}

clear_channels <- function(present, channels) {
  if ("all" %in% channels) character() else setdiff(present, channels)
}

log_line <- function(present, channel, ...) {
  if (channel %in% present || "all" %in% present) {
    cat("[", format(Sys.time(), "%Y-%m-%d %H:%M:%S"), "] [", channel, "] ", ..., "\n", sep = "")
  }
}
