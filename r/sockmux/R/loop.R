# Event loops with the interface of the package later. A loop has functions that are due at a time, and
# WebSockets whose events it delivers. R runs the global loop while it waits for its next command and in
# Sys.sleep(); any loop runs in run_now().

loops <- new.env(parent = emptyenv())
loops$table <- list() # state by id
loops$last <- -1L
loops$op <- 0
loops$running <- FALSE

# How many events of WebSockets one pass delivers. What comes without end must not keep run_now().
max_events <- 100L

# How long run_now() sleeps at once where there is no layer to be woken by.
nap_secs <- 0.01

clock <- function() as.numeric(Sys.time())

state_of <- function(loop) {
  state <- loops$table[[as.character(loop$id)]]
  if (is.null(state)) stop("loop has been destroyed!", call. = FALSE)
  state
}

create_loop <- function(parent = current_loop()) {
  if (!is.null(parent) && !inherits(parent, "event_loop")) stop("`parent` must be NULL or an event_loop object.")
  id <- loops$last + 1L
  loops$last <- id
  loop <- structure(new.env(parent = emptyenv()), class = c("sockmux_loop", "event_loop"))
  loop$id <- id
  lockEnvironment(loop, bindings = TRUE)
  state <- new.env(parent = emptyenv())
  state$parent <- if (is.null(parent)) -1L else parent$id
  state$queue <- list()
  state$sockets <- list()
  loops$table[[as.character(id)]] <- state
  # The loop itself is not kept: what nothing refers to, and has nothing to do, goes.
  if (id != 0L) {
    reg.finalizer(loop, function(loop) {
      state <- loops$table[[as.character(loop$id)]]
      if (!is.null(state) && is_idle(state)) loops$table[[as.character(loop$id)]] <- NULL
    })
  }
  loop
}

is_idle <- function(state) length(state$queue) == 0 && length(state$sockets) == 0

destroy_loop <- function(loop) {
  there <- exists_loop(loop) && loop$id != 0L
  if (there) loops$table[[as.character(loop$id)]] <- NULL
  invisible(there)
}

exists_loop <- function(loop) !is.null(loops$table[[as.character(loop$id)]])

global_loop <- function() loops$global

current_loop <- function() loops$current

with_loop <- function(loop, expr) {
  state_of(loop)
  before <- loops$current
  on.exit(loops$current <- before)
  loops$current <- loop
  force(expr)
}

with_temp_loop <- function(expr) {
  loop <- create_loop(parent = NULL)
  on.exit(destroy_loop(loop))
  with_loop(loop, expr)
}

format.sockmux_loop <- function(x, ...) paste0("<event loop> ID: ", x$id, if (!exists_loop(x)) " (destroyed)")

print.sockmux_loop <- function(x, ...) {
  cat(format(x, ...), "\n", sep = "")
  invisible(x)
}

# A formula is a function of `.x`, as in the package rlang.
as_func <- function(func) {
  if (inherits(func, "formula")) {
    body <- func[[length(func)]]
    return(eval(call("function", as.pairlist(alist(.x = , ... = )), body), environment(func)))
  }
  if (!is.function(func)) stop("`func` must be a function or a formula")
  func
}

later <- function(func, delay = 0, loop = current_loop()) {
  state <- state_of(loop)
  loops$op <- loops$op + 1
  id <- as.character(loops$op)
  state$queue[[id]] <- list(func = as_func(func), when = clock() + delay, loop = loop)
  announce()
  invisible(function() {
    there <- !is.null(state$queue[[id]])
    state$queue[[id]] <- NULL
    invisible(there)
  })
}

loop_empty <- function(loop = current_loop()) {
  all(vapply(family(loop$id), function(id) is_idle(loops$table[[id]]), NA))
}

next_op_secs <- function(loop = current_loop()) {
  state_of(loop)
  next_due(loop$id) - clock()
}

# A loop and those that run with it, by their ids.
family <- function(id) {
  id <- as.character(id)
  parents <- vapply(loops$table, function(state) as.character(state$parent), "")
  c(id, unlist(lapply(names(parents)[parents == id], family)))
}

next_due <- function(id) {
  whens <- lapply(family(id), function(id) vapply(loops$table[[id]]$queue, function(op) op$when, 0))
  min(Inf, unlist(whens))
}

# Says when R is to be asked again while it waits.
announce <- function() {
  if (bridge$layered) call_layer("idle.alarmIn", max(0, next_due(0L) - clock()) * 1000)
}

run_now <- function(timeoutSecs = 0L, all = TRUE, loop = current_loop()) {
  state_of(loop)
  end <- if (timeoutSecs < 0) Inf else clock() + timeoutSecs
  repeat {
    if (run_due(loop, all)) return(invisible(TRUE))
    left <- end - clock()
    if (left <= 0) return(invisible(FALSE))
    wait_for_event(min(left, max(0, next_due(loop$id) - clock())))
  }
}

wait_for_event <- function(secs) {
  if (!bridge$layered) return(Sys.sleep(min(secs, nap_secs)))
  call_layer("websockets.nap", secs * 1000)
  check_interrupt()
}

# Lets an interrupt in, and no callback: on_idle() finds that something runs.
check_interrupt <- function() {
  before <- loops$running
  on.exit(loops$running <- before)
  loops$running <- TRUE
  Sys.sleep(0)
}

# Runs what is due, or one of it. Returns whether there was something.
run_due <- function(loop, all = TRUE) {
  ran <- FALSE
  before <- loops$current
  on.exit({
    loops$current <- before
    announce()
  })
  for (id in family(loop$id)) {
    state <- loops$table[[id]]
    now <- clock()
    whens <- vapply(state$queue, function(op) op$when, 0)
    for (key in names(sort(whens[whens <= now]))) {
      op <- state$queue[[key]]
      if (is.null(op)) next # an earlier one has canceled it
      state$queue[[key]] <- NULL
      loops$current <- op$loop
      op$func()
      ran <- TRUE
      if (!all) return(TRUE)
    }
    if (run_sockets(state, all)) {
      ran <- TRUE
      if (!all) return(TRUE)
    }
  }
  ran
}

# Delivers what has come for the WebSockets of a loop.
run_sockets <- function(state, all) {
  ran <- FALSE
  for (i in seq_len(if (all) max_events else 1L)) {
    ids <- names(state$sockets)
    if (length(ids) == 0) break
    event <- call_layer("websockets.take", I(as.integer(ids)))
    if (is.null(event)) break
    ran <- TRUE
    # The one that had its turn goes behind the others.
    key <- as.character(as.integer(event$id))
    socket <- state$sockets[[key]]
    state$sockets[[key]] <- NULL
    if (!(event$event %in% c("close", "error"))) state$sockets[[key]] <- socket
    loops$current <- socket$loop
    socket$deliver(event)
  }
  ran
}

# Called by the layer at moments at which R may wait. Returns whether R waits: for its next command, or
# in Sys.sleep().
on_idle <- function() {
  below <- sys.nframe() - 1L
  waits <- below == 0L || identical(sys.function(below), Sys.sleep)
  if (!waits || loops$running) return(FALSE)
  loops$running <- TRUE
  on.exit(loops$running <- FALSE)
  tryCatch(
    withRestarts(run_idle(), abort = function() NULL),
    error = function(e) message("later: exception occurred while executing callback: \n", conditionMessage(e)),
    interrupt = function(e) message("later: interrupt occurred while executing callback.")
  )
  TRUE
}

run_idle <- function() {
  run_due(global_loop())
  if (!is.null(foreign$run_now)) foreign$run_now(0, loop = foreign$global_loop())
}
