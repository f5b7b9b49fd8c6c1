said <- character()
cat <- function(...) said <<- c(said, paste(...))
# Create a websocket using the websocket.org test server
ws <- WebSocket$new(paste0(RAW, "/echo"))
ws$onMessage(function(event) {
  cat("Client got msg:", event$data, "\n")
})
ws$onClose(function(event) {
  cat("Client disconnected\n")
})
ws$onOpen(function(event) {
  cat("Client connected\n")
})
until(opened(ws))
# Try sending a message with ws$send("hello").
ws$send("hello")
until(function() length(said) == 2)
# Close the websocket with ws$close() after you're done with it.
ws$close()
until(ended(ws))
say(said)
