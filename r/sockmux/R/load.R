# Made when the package is loaded: it depends on what is installed.
WebSocket <- NULL

.onLoad <- function(libname, pkgname) {
  find_webr()
  bridge$layered <- has_layer()
  loops$global <- create_loop(parent = NULL)
  loops$current <- loops$global
  namespace <- topenv()
  namespace$WebSocket <- if (has_original()) {
    getExportedValue("websocket", "WebSocket")
  } else {
    make_class("WebSocket", websocket_public, websocket_private)
  }
}

# Whether this R has the package websocket itself, which needs no page.
has_original <- function() {
  if (in_webr()) return(FALSE)
  description <- suppressWarnings(utils::packageDescription("websocket"))
  is.list(description) && !any(grepl("sockmux", description$Imports)) && requireNamespace("websocket", quietly = TRUE)
}
