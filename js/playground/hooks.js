// What R is given before its first prompt, so that plots, help, tables, text without a
// newline and its own end reach this page.

/**
 * JavaScript for webR's worker. It runs once, in the global scope of webR's R.js. A
 * message of its own for:
 * - "part": text that has no newline yet. Emscripten's terminal keeps it until the line ends;
 * - "quit": R ends, with its status. webR itself tells nothing of that.
 */
const WORKER = `(() => {
	const { channel } = Module.webr;
	const { write } = TTY.stream_ops;
	const complete = (bytes) => {
		let at = bytes.length - 1;
		while (at > 0 && (bytes[at] & 0xc0) === 0x80) at--;
		const needed = bytes[at] >= 0xf0 ? 4 : bytes[at] >= 0xe0 ? 3 : bytes[at] >= 0xc0 ? 2 : 1;
		return bytes.length - at < needed ? at : bytes.length;
	};
	TTY.stream_ops.write = (stream, ...rest) => {
		const written = write(stream, ...rest);
		const { tty } = stream;
		const end = tty.output?.length > 0 ? complete(tty.output) : 0;
		if (end > 0) {
			const text = new TextDecoder().decode(Uint8Array.from(tty.output.splice(0, end)));
			channel.write({ type: 'part', data: { type: tty.ops === TTY.default_tty_ops ? 'stdout' : 'stderr', text } });
		}
		return written;
	};
	const quit = quit_;
	quit_ = (status, ...rest) => {
		channel.write({ type: 'quit', data: status });
		return quit(status, ...rest);
	};
	return true;
})()`;

/** A plot is seen whole in the console. Its page is white in dark colors, too: R draws in black. */
const DEVICE = 'webr::canvas_install(width = 560, height = 400, bg = "white")';

/**
 * R code that switches everything on. Text travels as hex, so that no character of it is
 * JavaScript.
 */
export const SETUP = `local({
	${DEVICE}
	tell <- function(type, ...) {
		text <- function(x) {
			hex <- paste(charToRaw(enc2utf8(x)), collapse = "")
			paste0("new TextDecoder().decode(Uint8Array.from('", hex, "'.match(/../g) ?? [], (h) => parseInt(h, 16)))")
		}
		fields <- list(...)
		data <- paste0(names(fields), ": ", vapply(fields, text, ""), collapse = ", ")
		webr::eval_js(paste0("(Module.webr.channel.write({ type: '", type, "', data: { ", data, " } }), true)"))
		invisible(NULL)
	}
	pager <- function(files, header = "", title = "R Information", delete.file = FALSE) {
		parts <- lapply(seq_along(files), function(i) {
			above <- if (i <= length(header) && nzchar(header[i])) c(header[i], "")
			c(above, readLines(files[i], warn = FALSE))
		})
		tell("page", title = paste(title, collapse = " "), text = paste(unlist(parts), collapse = "\\n"))
		if (delete.file) unlink(files)
		invisible(NULL)
	}
	browse <- function(url, ...) tell("open", url = url)
	options(pager = pager, help_type = "text", browser = browse, viewer = browse)
	webr::eval_js(r"---(${WORKER})---")
})`;
