for (how in c("/close/0fa0627965", "/close/", "/end/fin", "/end/reset", "/close/03e8")) {
  say(how)
  ws <- watch(WebSocket$new(paste0(RAW, how)))
  until(opened(ws))
  ws$send("now")
  until(ended(ws))
}
