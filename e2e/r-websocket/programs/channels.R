ws <- WebSocket$new("ws://a.b/", autoConnect = FALSE)
for (method in c("setAccessLogChannels", "setErrorLogChannels", "clearAccessLogChannels", "clearErrorLogChannels")) {
  attempt <- function(...) say(method, tryCatch(deparse(ws[[method]](...)), error = conditionMessage))
  attempt()
  attempt(NULL)
  attempt("none")
  attempt("all")
  attempt(c("devel", "none"))
  attempt("connect")
  attempt("warn")
  attempt("nothing")
  attempt(5)
}
