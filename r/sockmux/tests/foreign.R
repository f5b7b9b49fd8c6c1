# The package later itself, where it is installed: WebSockets deliver their events by its loops.
library(sockmux)
if (requireNamespace("later", quietly = TRUE) && !identical(environment(later::run_now), environment(sockmux::run_now))) {
  ns <- asNamespace("sockmux")
  # In place of the layer: events that have come.
  events <- list(list(id = 1, event = "message", data = "a"), list(id = 1, event = "close", code = 1000, reason = ""))
  bridge <- ns$bridge
  bridge$eval_js <- function(code, ...) {
    if (!grepl("websockets.take", code, fixed = TRUE) || length(events) == 0) return(NULL)
    event <- events[[1]]
    events <<- events[-1]
    event
  }
  loop <- ns$default_loop()
  stopifnot(identical(loop, later::current_loop()), ns$is_foreign(loop), !ns$is_foreign(sockmux::current_loop()))
  got <- character()
  ns$join_loop(loop, 1L, function(event) got <<- c(got, event$event))
  stopifnot(length(got) == 0)
  end <- Sys.time() + 5
  while (length(got) < 2 && Sys.time() < end) later::run_now(0.1)
  stopifnot(identical(got, c("message", "close")))
  # Nothing asks any more.
  later::run_now(0.05)
  stopifnot(later::loop_empty(loop))
}
