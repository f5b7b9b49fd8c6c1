# What makes objects. The package R6 makes the class where it is installed, so that others can inherit
# from it. Without it the objects have the same members and the same class.

make_class <- function(classname, public, private) {
  if (requireNamespace("R6", quietly = TRUE)) {
    return(R6::R6Class(classname, public = public, private = private, parent_env = topenv()))
  }
  plain_class(classname, public, private)
}

plain_class <- function(classname, public, private) {
  generator <- structure(new.env(parent = emptyenv()), class = "R6ClassGenerator")
  generator$classname <- classname
  generator$public_methods <- Filter(is.function, public)
  generator$new <- function(...) {
    self <- plain_object(classname, public, private)
    self$initialize(...)
    self
  }
  generator
}

plain_object <- function(classname, public, private) {
  self <- new.env(parent = emptyenv())
  around <- new.env(parent = topenv())
  around$self <- self
  around$private <- new.env(parent = emptyenv())
  fill <- function(env, members) {
    for (name in names(members)) {
      member <- members[[name]]
      if (is.function(member)) environment(member) <- around
      assign(name, member, envir = env)
      if (is.function(member)) lockBinding(name, env)
    }
  }
  fill(self, public)
  fill(around$private, private)
  self$clone <- function(deep = FALSE) {
    copy <- plain_object(classname, public, private)
    hidden <- environment(copy$initialize)$private
    for (name in names(private)) if (!is.function(private[[name]])) assign(name, around$private[[name]], envir = hidden)
    copy
  }
  lockEnvironment(self)
  structure(self, class = c(classname, "R6"))
}
