# The callbacks of one event, in the order in which they were registered.

new_callbacks <- function() {
  state <- new.env(parent = emptyenv())
  state$last <- 0L
  state$functions <- list()

  register <- function(callback) {
    if (!is.function(callback)) stop("callback must be a function", call. = FALSE)
    state$last <- state$last + 1L
    key <- as.character(state$last)
    state$functions[[key]] <- callback
    invisible(function() {
      state$functions[[key]] <- NULL
      invisible()
    })
  }

  # An error in one does not stop the next ones.
  invoke <- function(event) {
    for (callback in state$functions) {
      tryCatch(
        withRestarts(callback(event), abort = function() NULL),
        error = function(e) message("Error in websocket callback: ", conditionMessage(e)),
        interrupt = function(e) message("Interrupt received while executing websocket callback.")
      )
    }
  }

  list(register = register, invoke = invoke)
}
