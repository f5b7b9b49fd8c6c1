for (size in c(99, 100)) {
  ws <- watch(WebSocket$new(paste0(RAW, "/count/1/100?id=max", size), maxMessageSize = size))
  until(opened(ws))
  ws$send("now")
  if (size == 99) until(ended(ws)) else { got <- FALSE; ws$onMessage(function(e) got <<- TRUE); until(function() got); ws$close(); until(ended(ws)) }
}
