# Event loops, without a page.
library(sockmux)
check <- function(...) stopifnot(...)
ran <- character()
note <- function(name) { force(name); function() ran <<- c(ran, name) }

# In the order of their times, then of their registration; each once.
later(note("b"), 2); later(note("a")); later(note("a2")); later(note("late"), 60)
check(!loop_empty(), next_op_secs() <= 0)
end <- Sys.time() + 20
while (length(ran) < 3 && Sys.time() < end) run_now(1)
check(identical(ran, c("a", "a2", "b")))
check(identical(run_now(), FALSE), next_op_secs() > 50)

# run_now() waits for what is due, and no longer than told.
began <- Sys.time()
later(note("c"), 0.05)
check(run_now(5), Sys.time() - began < 4)
began <- Sys.time()
check(!run_now(0.05), Sys.time() - began >= 0.05)

# A cancel says whether there was something to cancel, and all = FALSE does one thing.
cancel <- later(note("never"))
check(identical(cancel(), TRUE), identical(cancel(), FALSE))
later(note("one")); later(note("two"))
run_now(all = FALSE)
check(identical(tail(ran, 1), "one"))
run_now()
check(identical(tail(ran, 1), "two"))

# One function cancels another that is due as well.
ran <- character()
second <- NULL
later(function() { ran <<- c(ran, "first"); second() })
second <- later(note("second"))
run_now()
check(identical(ran, "first"))

# Formulas, and what is neither.
later(~ { ran <<- c(ran, "formula") })
run_now()
check(identical(tail(ran, 1), "formula"))
check(inherits(try(later(5), silent = TRUE), "try-error"))

# A loop without a parent runs only by itself; a child runs with its parent, and is current meanwhile.
ran <- character()
alone <- create_loop(parent = NULL)
child <- create_loop()
later(note("alone"), loop = alone)
later(function() ran <<- c(ran, if (identical(current_loop(), child)) "child" else "wrong"), loop = child)
run_now()
check(identical(ran, "child"))
run_now(loop = alone)
check(identical(ran, c("child", "alone")))
check(identical(current_loop(), global_loop()))
with_loop(alone, later(note("with")))
check(!loop_empty(alone))
check(destroy_loop(alone), !exists_loop(alone), !destroy_loop(alone), !destroy_loop(global_loop()))
check(inherits(try(later(note("x"), loop = alone), silent = TRUE), "try-error"))
check(grepl("destroyed", format(alone)))
check(is.null(with_temp_loop({ later(note("temporary")); NULL })))

# An error in run_now() is the caller's, and what is behind it stays.
later(function() stop("of this function")); later(note("behind"))
check(grepl("of this function", try(run_now(), silent = TRUE)))
run_now()
check(identical(tail(ran, 1), "behind"))

# A loop that nothing refers to goes, unless it has something to do.
count <- function() length(sockmux:::loops$table)
before <- count()
for (i in 1:10) create_loop(parent = NULL)
invisible(gc()); invisible(gc())
check(count() <= before + 1)
