# The package later itself, where it is installed: WebSockets deliver their events by its loops.

foreign <- new.env(parent = emptyenv())

# How often its loops ask for events: nothing wakes them.
poll_secs <- 0.01

find_foreign <- function() {
  if (!is.null(foreign$later) || !requireNamespace("later", quietly = TRUE)) return()
  run <- getExportedValue("later", "run_now")
  if (identical(environment(run), environment(run_now))) return() # it is the one of this repository
  for (name in c("run_now", "later", "current_loop", "global_loop")) foreign[[name]] <- getExportedValue("later", name)
}

# The loop of a WebSocket that is given none. The package is looked for as late as this: it may be
# installed when this one is loaded already.
default_loop <- function() {
  find_foreign()
  if (is.null(foreign$later)) current_loop() else foreign$current_loop()
}

is_foreign <- function(loop) !is.null(foreign$later) && !inherits(loop, "sockmux_loop")

# The state that stands for a loop of the package later.
foreign_state <- function(loop) {
  key <- paste0("later", loop$id)
  if (is.null(foreign$states[[key]])) {
    foreign$states[[key]] <- new.env(parent = emptyenv())
    foreign$states[[key]]$sockets <- list()
  }
  foreign$states[[key]]
}

# Asks for events until the loop has no WebSocket any more.
poll_foreign <- function(loop, state) {
  foreign$later(function() {
    run_sockets(state, TRUE)
    if (length(state$sockets) > 0) poll_foreign(loop, state) else state$polls <- FALSE
  }, poll_secs, loop)
}

# Delivers a WebSocket's events by a loop.
join_loop <- function(loop, id, deliver) {
  far <- is_foreign(loop)
  state <- if (far) foreign_state(loop) else state_of(loop)
  state$sockets[[as.character(id)]] <- list(loop = if (far) current_loop() else loop, deliver = deliver)
  if (far && !isTRUE(state$polls)) {
    state$polls <- TRUE
    poll_foreign(loop, state)
  }
}
