# JavaScript in the worker in which webR runs R. The script of sockmux leaves the object
# sockmuxLayer there.

bridge <- new.env(parent = emptyenv())

# Whether this R is webR's.
in_webr <- function() !is.null(bridge$eval_js)

# Finds webR's package. It is no dependency: other R has none of this name.
find_webr <- function() {
  webr <- "webr"
  if (grepl("emscripten", R.version$platform) && requireNamespace(webr, quietly = TRUE)) {
    bridge$eval_js <- getExportedValue(webr, "eval_js")
  }
}

# Whether the script of sockmux is in this page, and reaches R's worker.
has_layer <- function() in_webr() && isTRUE(bridge$eval_js("Boolean(globalThis.sockmuxLayer?.websockets)"))

# Calls a function of the layer. Arguments are values that as_js() can write.
call_layer <- function(name, ...) {
  args <- vapply(list(...), as_js, "")
  bridge$eval_js(paste0("sockmuxLayer.", name, "(", paste(args, collapse = ", "), ")"))
}

# Writes a value in JavaScript. A list is an object, I() makes an array.
as_js <- function(x) {
  if (is.list(x)) {
    return(paste0("{", paste0(names(x), ": ", vapply(x, as_js, ""), collapse = ", "), "}"))
  }
  values <- if (is.character(x)) {
    vapply(enc2utf8(x), js_string, "", USE.NAMES = FALSE)
  } else if (is.logical(x)) {
    ifelse(x, "true", "false")
  } else {
    ifelse(is.infinite(x), "Infinity", format(x, digits = 15, scientific = FALSE, trim = TRUE))
  }
  if (inherits(x, "AsIs")) paste0("[", paste(values, collapse = ", "), "]") else values
}

# A text as JavaScript writes it. Every character is escaped, so none can end the text.
js_string <- function(x) {
  code <- utf8ToInt(x)
  if (length(code) == 0) "\"\"" else paste0("\"", paste(sprintf("\\u{%x}", code), collapse = ""), "\"")
}

# Passes bytes to a function that gets their file as its second argument.
send_bytes <- function(name, id, bytes, ...) {
  file <- tempfile("sockmux")
  on.exit(unlink(file))
  writeBin(bytes, file)
  call_layer(name, id, file, ...)
}
