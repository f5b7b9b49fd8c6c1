# A web server in R. It needs nothing beyond base R, and runs in desktop R as it is here:
# source("server.R"); serve(8000)

# Reads a request: method, path, query, form. NULL if the client has gone.
read_request <- function(con) {
  line <- readLines(con, 1)
  if (length(line) == 0) return(NULL)
  parts <- strsplit(line, " ", fixed = TRUE)[[1]]
  if (length(parts) != 3) return(list(method = "", path = "", query = list(), form = list()))
  headers <- list()
  while (length(field <- readLines(con, 1)) > 0 && nzchar(field)) {
    at <- regexpr(":", field, fixed = TRUE)
    headers[[tolower(substr(field, 1, at - 1))]] <- trimws(substring(field, at + 1))
  }
  size <- suppressWarnings(as.integer(headers[["content-length"]]))
  body <- if (length(size) && !is.na(size) && size > 0) readBin(con, "raw", min(size, 1e6)) else raw()
  target <- strsplit(parts[2], "?", fixed = TRUE)[[1]]
  list(method = parts[1], path = target[1], query = read_form(target[2]), form = read_form(rawToChar(body)))
}

# a=1&b=two as a list
read_form <- function(text) {
  if (is.na(text) || !nzchar(text)) return(list())
  pairs <- strsplit(strsplit(text, "&", fixed = TRUE)[[1]], "=", fixed = TRUE)
  decode <- function(x) utils::URLdecode(gsub("+", " ", x, fixed = TRUE))
  stats::setNames(lapply(pairs, function(p) if (length(p) > 1) decode(p[2]) else ""), vapply(pairs, function(p) decode(p[1]), ""))
}

escape <- function(text) {
  for (one in list(c("&", "&amp;"), c("<", "&lt;"), c(">", "&gt;"), c("\"", "&quot;"))) text <- gsub(one[1], one[2], text, fixed = TRUE)
  text
}

# An answer. The body is text or raw bytes.
answer <- function(body, type = "text/html; charset=utf-8", status = "200 OK", headers = character()) {
  list(status = status, type = type, headers = headers, body = if (is.raw(body)) body else charToRaw(enc2utf8(body)))
}

html <- function(...) answer(paste0(
  "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>R</title>",
  "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}img{max-width:100%}</style>", ...
))

counter <- new.env()
counter$served <- 0

# The pages: a function of the request each.
pages <- list(
  "/" = function(r) html(
    "<h1>Hello from R in a browser</h1><p>", escape(R.version.string), " has served ", counter$served, " requests.</p>",
    "<p><img src='/plot.svg' alt='a histogram'></p>",
    "<p><a href='/plot.png?n=2000'>a PNG</a> | <a href='/summary.json?n=100'>JSON</a></p>",
    "<form method=post action=/mean><label>Numbers: <input name=x value='1 2 3 10'></label> <button>mean</button></form>"
  ),
  "/plot.svg" = function(r) answer(draw(r, function(file) svg(file, 7, 4), ".svg"), "image/svg+xml"),
  "/plot.png" = function(r) answer(draw(r, function(file) png(file, 840, 480), ".png"), "image/png"),
  "/summary.json" = function(r) {
    s <- summary(sample_of(r))
    answer(paste0("{", paste0("\"", names(s), "\": ", format(as.numeric(s), digits = 6, trim = TRUE), collapse = ", "), "}\n"), "application/json")
  },
  "/mean" = function(r) {
    if (r$method != "POST") return(answer("POST numbers as x\n", "text/plain", "405 Method Not Allowed", "Allow: POST"))
    x <- suppressWarnings(as.numeric(strsplit(trimws(paste0(r$form$x, "")), "[ ,;]+")[[1]]))
    if (length(x) == 0 || anyNA(x)) return(answer("these are no numbers\n", "text/plain", "400 Bad Request"))
    html("<h1>", format(mean(x)), "</h1><p>is the mean of ", escape(paste(x, collapse = ", ")), ". <a href=/>Back</a></p>")
  }
)

sample_of <- function(r) {
  n <- suppressWarnings(as.integer(r$query$n))
  rnorm(if (length(n) && !is.na(n)) max(2, min(n, 1e5)) else 500)
}

draw <- function(r, device, ending) {
  file <- tempfile(fileext = ending)
  on.exit(unlink(file))
  x <- sample_of(r)
  device(file)
  hist(x, breaks = 30, col = "#6fc7c4", border = "white", main = paste(length(x), "normal numbers, drawn by R"), xlab = "")
  dev.off()
  readBin(file, "raw", file.size(file))
}

handle <- function(r) {
  page <- pages[[if (nzchar(r$path)) r$path else "?"]]
  if (!nzchar(r$method)) return(answer("this is no request of HTTP\n", "text/plain", "400 Bad Request"))
  if (is.null(page)) return(answer("there is no such page\n", "text/plain; charset=utf-8", "404 Not Found"))
  tryCatch(page(r), error = function(e) answer(paste0(conditionMessage(e), "\n"), "text/plain; charset=utf-8", "500 Internal Server Error"))
}

write_answer <- function(con, a, head_only) {
  fields <- c(paste("HTTP/1.1", a$status), paste("Content-Type:", a$type), paste("Content-Length:", length(a$body)), a$headers, "Connection: close", "", "")
  writeBin(c(charToRaw(paste(fields, collapse = "\r\n")), if (!head_only) a$body), con)
}

# Serves one connection after the other. A client that fails ends its own connection only.
serve <- function(port, log = message) {
  server <- serverSocket(port)
  on.exit(close(server))
  log(sprintf("R listens on port %d", port))
  repeat {
    con <- tryCatch(socketAccept(server, blocking = TRUE, open = "r+b", timeout = 30), error = function(e) NULL)
    if (is.null(con)) next
    tryCatch({
      r <- read_request(con)
      if (!is.null(r)) {
        counter$served <- counter$served + 1
        a <- handle(r)
        write_answer(con, a, r$method == "HEAD")
        log(paste(r$method, r$path, a$status))
      }
    }, error = function(e) log(conditionMessage(e)), finally = close(con))
  }
}
