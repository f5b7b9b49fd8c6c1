// The examples. Each is R as on a desktop; only the ports are filled in.

/** @typedef {{ name: string, host: string, port: number, description: string }} Service */
/** @typedef {{ title: string, text: string, needs: string[], code: (port: (name: string) => number, host: string) => string }} Snippet */

/** @type {Snippet[]} */
export const snippets = [
	{
		title: 'HTTP by hand',
		text: 'a request written to a socket',
		needs: ['http'],
		code: (port, host) => `
con <- socketConnection("${host}", ${port('http')}, open = "r+b", blocking = TRUE, timeout = 10)
writeLines(c("GET / HTTP/1.1", "Host: ${host}", "Connection: close", ""), con, sep = "\\r\\n")
cat(readLines(con), sep = "\\n")
close(con)`,
	},
	{
		title: 'A line protocol',
		text: 'daytime, then whois',
		needs: ['daytime', 'whois'],
		code: (port, host) => `
con <- socketConnection("${host}", ${port('daytime')}, blocking = TRUE)
readLines(con)
close(con)
con <- socketConnection("${host}", ${port('whois')}, open = "r+", blocking = TRUE)
writeLines("sockmux", con)
cat(readLines(con), sep = "\\n")
close(con)`,
	},
	{
		title: 'Forty at once',
		text: 'parallel sockets, one WebSocket',
		needs: ['echo'],
		code: (port, host) => `
t0 <- Sys.time()
cons <- lapply(1:40, function(i) socketConnection("${host}", ${port('echo')}, open = "r+b"))
for (i in 1:40) writeLines(paste("hello from socket", i), cons[[i]])
answers <- character()
while (length(answers) < 40) {
  ready <- socketSelect(cons, timeout = 5)
  if (!any(ready)) stop("no answer within 5 s")
  for (con in cons[ready]) answers <- c(answers, readLines(con, 1))
}
cat(length(unique(answers)), "answers in", round(1000 * as.numeric(Sys.time() - t0, units = "secs")), "ms\\n")
invisible(lapply(cons, close))`,
	},
	{
		title: 'Errors told apart',
		text: 'refused, denied, no such name',
		needs: ['refused'],
		code: (port, host) => `
try_open <- function(host, port) {
  problem <- NULL
  con <- tryCatch(suppressWarnings(socketConnection(host, port, timeout = 10)), error = function(e) problem <<- conditionMessage(e))
  if (is.null(problem)) close(con) else cat(host, "port", port, "->", problem, "\\n")
}
try_open("${host}", ${port('refused')})  # nobody listens there: refused
try_open("10.0.0.1", 80)  # a private address: denied
try_open("nobody.onion", 80)  # no such name
# R says no more than this; the list of sockets beside it has the reasons`,
	},
	{
		title: 'Ten megabytes',
		text: 'a download with its rate',
		needs: ['download'],
		code: (port, host) => `
con <- socketConnection("${host}", ${port('download')}, open = "r+b", blocking = TRUE, timeout = 30)
writeLines("10000000", con)
t0 <- Sys.time()
total <- 0
while (length(x <- readBin(con, raw(), 1e6)) > 0) total <- total + length(x)
secs <- as.numeric(Sys.time() - t0, units = "secs")
close(con)
cat(format(total, scientific = FALSE), "bytes in", round(secs, 2), "s:", round(total / 1e6 / secs, 1), "MB/s\\n")`,
	},
	{
		title: 'Half-close',
		text: 'the server ends, R goes on',
		needs: ['half-close'],
		code: (port, host) => `
con <- socketConnection("${host}", ${port('half-close')}, open = "r+b", blocking = TRUE, timeout = 10)
readLines(con)  # the service has said all it has to say and ended its direction
writeLines("R can still write", con)
close(con)`,
	},
];

/**
 * The lines of a snippet, as they are typed into R.
 * @param {Snippet} snippet
 * @param {Map<string, Service>} services
 */
export function linesOf(snippet, services) {
	const [{ host }] = services.values(); // all are on one machine, the server's own
	return snippet.code((name) => {
		const service = services.get(name);
		if (!service) throw new Error(`there is no demo service "${name}"`);
		return service.port;
	}, host).trim().split('\n');
}
