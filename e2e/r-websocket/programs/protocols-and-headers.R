asking <- function(path, ...) {
  ws <- WebSocket$new(paste0(SHOWS, path), ...)
  done <- FALSE
  ws$onMessage(function(e) { lines <- strsplit(e$data, "\n")[[1]]; for (line in setdiff(lines, grep("^User-Agent: (WebSocket[+][+]|sockmux)", lines, value = TRUE))) say(path, line); done <<- TRUE })
  ws$onOpen(function(e) ws$send("show"))
  ws$onError(function(e) { say(path, "failed:", e$message); done <<- TRUE })
  until(function() done)
  ws$close()
  until(ended(ws))
}
asking("/none")
asking("/b", protocols = c("a", "b"))
asking("/a", protocols = "a")
asking("/given", headers = c(Authorization = "Bearer x.y", `X-Empty` = ""))
asking("/list", headers = list(`X-One` = "1", Cookie = "a=b; c=d", `User-Agent` = "R", Origin = "https://page.example", Host = "other.example"))
asking("/b", headers = c(`Sec-WebSocket-Protocol` = "b"))
