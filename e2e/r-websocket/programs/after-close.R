# Messages that have come before R closes are delivered, though R sees them behind that.
ws <- watch(WebSocket$new(paste0(RAW, "/count/20/10?id=after")))
until(opened(ws))
ws$send("now")
end <- Sys.time() + 1
while (Sys.time() < end) {}
count <- 0
ws$onMessage(function(e) { count <<- count + 1; if (count == 3) ws$close(4000L, "three are enough") })
until(ended(ws))
say(count)
