# What works and what does not, in words.

# A finding. works: TRUE, FALSE or NA where nothing was tried.
finding <- function(works, ..., reason = "") {
  structure(list(works = works, text = paste0(...), reason = reason), class = "sockmux_status")
}

format.sockmux_status <- function(x, ...) {
  c(x$text, if (nzchar(x$reason)) paste0("  (", x$reason, ")"))
}

print.sockmux_status <- function(x, ...) {
  writeLines(format(x))
  invisible(x)
}

# What the page says of its session: the state, why it is not open, and the latest socket that failed.
page_status <- "(() => {
  const { status } = globalThis.sockmux ?? {};
  const text = (why) => (why ? `${why.name ?? why.code ?? ''}: ${why.text ?? why.message ?? ''}` : '');
  return status ? [status.state, text(status.reason)] : ['missing', ''];
})()"

state_texts <- c(
  missing = "R's worker has the layer of sockmux, but the page has no sockmux object: reload the page.",
  idle = "Sockets of R go through sockmux. The connection to the server is made with the first socket.",
  loading = "Sockets of R go through sockmux, which is being loaded.",
  connecting = "Sockets of R go through sockmux, which is connecting to its server.",
  open = "Sockets of R go through sockmux, and its server is connected.",
  resuming = "The connection to the sockmux server is lost and is being made again. Sockets wait meanwhile.",
  closed = "The page has closed its session of sockmux: sockets fail until it calls connect.",
  failed = "sockmux has failed in this page, so sockets fail."
)

sockmux_status <- function() {
  if (!in_webr()) return(finding(NA, "This R is not webR: its sockets are the system's own, and sockmux has no part in them."))
  if (!has_layer()) return(finding(FALSE, "Sockets of this webR do not go through sockmux: ", no_layer, "."))
  told <- bridge$eval_js(page_status, await = TRUE)
  state <- told[[1]]
  text <- if (state %in% names(state_texts)) state_texts[[state]] else paste0("sockmux is in the state ", state, ".")
  finding(!(state %in% c("missing", "closed", "failed")), text, reason = told[[2]])
}

# What to do about a code.
advice <- c(
  refused = "nothing listens at that port, or a firewall refuses the connection",
  denied = "the sockmux server does not allow it: its operator can, with --allow HOST:PORT",
  name_not_found = "there is no such name",
  name_failed = "the sockmux server could not look the name up",
  timed_out = "there is no answer: the machine is off, or a firewall drops what is sent",
  host_unreachable = "the sockmux server has no route to the machine",
  network_unreachable = "the sockmux server has no route to its network",
  limit = "a limit of the sockmux server is reached",
  reset = "the connection was reset"
)

sockmux_check <- function(host, port, timeout = 10) {
  stopifnot(is.character(host), length(host) == 1, is.numeric(port), length(port) == 1)
  target <- paste0(host, ":", format(port, scientific = FALSE))
  if (in_webr()) {
    status <- sockmux_status()
    if (!status$works) return(status)
  }
  began <- clock()
  error <- tryCatch({
    close(suppressWarnings(socketConnection(host, port, open = "r+b", blocking = TRUE, timeout = timeout)))
    NULL
  }, error = conditionMessage)
  if (is.null(error)) return(finding(TRUE, target, " can be reached: connected in ", round((clock() - began) * 1000), " ms."))
  reason <- if (in_webr()) call_layer("errorOf", host, as.integer(port)) else error
  code <- sub(":.*", "", reason)
  why <- if (code %in% names(advice)) advice[[code]] else "the connection could not be made"
  finding(FALSE, target, " cannot be reached: ", sub("HOST:PORT", target, why, fixed = TRUE), ".", reason = reason)
}
