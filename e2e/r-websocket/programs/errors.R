failing <- function(name, url) {
  ws <- watch(WebSocket$new(url), name)
  until(ended(ws))
  say(name, tryCatch(ws$send("x"), error = conditionMessage))
  ws$close()
  say(state(ws))
}
failing("refused", paste0("ws://127.0.0.1:", P$refused, "/"))
failing("status 403", paste0(RAW, "/answer/", base64("HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n")))
failing("status 200", paste0(RAW, "/answer/", base64("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi")))
failing("redirect", paste0(RAW, "/answer/", base64("HTTP/1.1 302 Found\nLocation: /echo\nContent-Length: 0\n\n")))
failing("no HTTP", paste0(RAW, "/answer/", base64("SSH-2.0-OpenSSH_9.2\n")))
failing("wss to ws", sub("ws:", "wss:", paste0(RAW, "/echo"), fixed = TRUE))
