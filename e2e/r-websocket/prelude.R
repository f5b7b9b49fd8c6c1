# What every program may use: RAW, SHOWS (addresses), say(), watch(), until(), hex(), base64(); run_program()
# gives what was said, warned and failed. RUN_NOW is the run_now() of the loop.
RAW <- paste0("ws://127.0.0.1:", P$raw)
SHOWS <- paste0("ws://127.0.0.1:", P$shows)
hex <- function(...) paste(c(...), collapse = "")
base64 <- function(text) { # of the URL kind
  bits <- unlist(lapply(charToRaw(text), function(b) rev(as.integer(rawToBits(b)))))
  bits <- c(bits, rep(0L, -length(bits) %% 6))
  paste(c(LETTERS, letters, 0:9, "-", "_")[colSums(matrix(bits, 6) * 2^(5:0)) + 1], collapse = "")
}
until <- function(ready, secs = 15) {
  end <- Sys.time() + secs
  while (!ready()) {
    if (Sys.time() > end) stop("it did not come to pass")
    RUN_NOW(0.05)
  }
}
run_program <- function(code) {
  log <- character()
  env <- new.env(parent = globalenv())
  add <- function(x) log <<- c(log, enc2utf8(x))
  env$say <- function(...) add(paste(...))
  shown <- function(data) {
    if (is.raw(data)) paste0("raw(", length(data), ") ", paste(utils::head(data, 8), collapse = " "))
    else paste0(typeof(data), "(", length(data), ") ", substr(data, 1, 40), if (nchar(data) > 40) paste0("... of ", nchar(data)))
  }
  state <- function(ws) paste0(ws$readyState(), " ", attr(ws$readyState(), "description"))
  env$state <- state
  # Says every event of a WebSocket.
  env$watch <- function(ws, name = "") {
    name <- if (nzchar(name)) paste0(name, ": ") else ""
    for (event in c("Open", "Message", "Close", "Error")) local({
      event <- event
      ws[[paste0("on", event)]](function(e) {
        fields <- e[setdiff(names(e), "target")]
        add(paste0(name, tolower(event), if (length(fields)) " ", paste(names(fields), vapply(fields, shown, ""), sep = "=", collapse = " "), ", state ", state(ws)))
      })
    })
    invisible(ws)
  }
  env$ended <- function(ws) function() ws$readyState() == 3L
  env$opened <- function(ws) function() ws$readyState() >= 1L
  norm <- function(x) { x <- gsub("[\u2018\u2019\u201c\u201d]", "'", x); for (n in names(P)) x <- gsub(paste0("\\b", P[[n]], "\\b"), paste0("<", n, ">"), x); x }
  tryCatch(withCallingHandlers(eval(parse(text = code, keep.source = FALSE), env),
      warning = function(w) { add(paste("WARNING:", conditionMessage(w))); invokeRestart("muffleWarning") },
      message = function(m) invokeRestart("muffleMessage")), # those of callbacks do not come here in desktop R
    error = function(e) add(paste("ERROR:", conditionMessage(e))))
  norm(unlist(strsplit(as.character(log), "\n", fixed = TRUE)))
}
